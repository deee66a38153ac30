//! The consumer and its handlers: actions of every kind at several levels, which wait for a permit.

use std::pin::Pin;
use std::sync::Arc;

use futures_util::{Stream, StreamExt, stream};
use portcullis::{
    AllowAny, ConnectContext, Context, Created, Error, Event, Group, GroupPermission, IsAuthenticated, NoReply, Object,
    RequestId, Result, Scope, Streamed, consumer, handler,
};
use tokio::runtime::Handle;

use super::state::{BlocksThread, Channel, HasState, May, MayAccessShelf, Note, Owner, State};
use super::{Member, desk, own_changes, uploads};

#[derive(Event)]
pub(crate) struct Said(pub(crate) u32);

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Desk, permission = AllowAny, publish = AllowAny, events(Said))]
pub(crate) struct Lobby;

/// Requires the leaf `room`.
#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Desk, permission = MayEnter, publish = members, events(Said))]
pub(crate) struct Room;

pub(crate) struct MayEnter;

impl GroupPermission<Room, Desk> for MayEnter {
    async fn may_join(&self, desk: &Desk, _: &Scope<Member>, _: &Room) -> Result<bool> {
        desk.state.evaluate("room").await
    }
}

pub(crate) struct Desk {
    pub(crate) state: Arc<State>,
    pub(crate) rooms: Rooms,
}

pub(crate) struct Rooms {
    pub(crate) state: Arc<State>,
    pub(crate) shelf: Shelf,
}

pub(crate) struct Shelf(pub(crate) Arc<State>);

impl HasState for Desk {
    fn state(&self) -> &State {
        &self.state
    }
}

impl HasState for Rooms {
    fn state(&self) -> &State {
        &self.state
    }
}

impl HasState for Shelf {
    fn state(&self) -> &State {
        &self.0
    }
}

#[consumer(user = Member, permission = May("desk"))]
impl Desk {
    #[connect]
    async fn connect(&self, cx: &ConnectContext<'_, Member>) -> Result<()> {
        cx.join(Lobby).await
    }

    #[event(permission = AllowAny)]
    fn said(&self, event: &Said) -> u32 {
        event.0
    }

    #[action]
    async fn ping(&self) -> &'static str {
        "pong"
    }

    #[action(permission = May("own"))]
    async fn wait(&self) -> Created<usize> {
        Created(self.state.run().await)
    }

    #[action(permission = May("own"), detached)]
    async fn wait_detached(&self) -> usize {
        self.state.run().await
    }

    #[action(permission = May("own"), blocking)]
    fn block(&self) -> usize {
        Handle::current().block_on(self.state.run())
    }

    #[action(permission = May("own"), blocking, detached)]
    fn block_detached(&self) -> usize {
        Handle::current().block_on(self.state.run())
    }

    #[action(permission = desk.work)]
    async fn work(&self) -> usize {
        self.state.run().await
    }

    #[action(permission = uploads.read(channel))]
    async fn list(&self, channel: Channel) -> u32 {
        self.state.run().await;
        channel.0
    }

    #[action(permission = IsAuthenticated)]
    async fn asks(&self, cx: &Context<'_, Member>, channel: Channel) -> Result<bool> {
        cx.may_on(uploads::read, &channel).await
    }

    #[action(permission = "Owner(note)")]
    async fn open(&self, note: Object<Note>) -> u32 {
        self.state.run().await;
        note.id
    }

    #[action(permission = "desk.lead | Owner(note)")]
    async fn delete(&self, cx: &Context<'_, Member>, note: Object<Note>) -> Result<()> {
        self.state.delete(cx, note.id).await
    }

    #[action(permission = "desk.lead | Owner(note)", detached)]
    async fn delete_detached(&self, cx: &Context<'_, Member>, note: Object<Note>) -> Result<()> {
        self.state.delete(cx, note.id).await
    }

    #[action(permission = BlocksThread, blocking)]
    fn block_in_permission(&self) -> usize {
        Handle::current().block_on(self.state.run())
    }

    #[action(permission = BlocksThread, blocking, detached)]
    fn block_in_permission_detached(&self) -> usize {
        Handle::current().block_on(self.state.run())
    }

    #[action(permission = May("own"))]
    async fn fail(&self) -> Result<()> {
        self.state.run().await;
        Err(Error::conflict("It is taken."))
    }

    #[action(permission = May("own"))]
    async fn quiet(&self) -> NoReply {
        self.state.run().await;
        NoReply
    }

    #[action(permission = May("own"), detached)]
    async fn quiet_detached(&self) -> NoReply {
        self.state.run().await;
        NoReply
    }

    /// Publishes to the lobby and sends no reply.
    #[action(permission = May("own"))]
    async fn quietly_say(&self, cx: &Context<'_, Member>) -> Result<NoReply> {
        cx.publish(Lobby, Said(1)).await?;
        self.state.run().await;
        Ok(NoReply)
    }

    /// Has every kind of side effect.
    #[action(permission = May("own"))]
    async fn act(&self, cx: &Context<'_, Member>) -> Result<()> {
        act(&self.state, cx).await
    }

    #[action(permission = May("own"), detached)]
    async fn act_detached(&self, cx: &Context<'_, Member>) -> Result<()> {
        act(&self.state, cx).await
    }

    #[action(permission = May("own"))]
    async fn unsubscribe(&self, cx: &Context<'_, Member>, id: RequestId) -> Result<()> {
        cx.unsubscribe(Room, id)?;
        self.state.run().await;
        Ok(())
    }

    /// Revokes the right of its own caller before each of two values.
    #[action(permission = May("own"))]
    async fn renounce_twice(&self, cx: &Context<'_, Member>) -> Result<Values> {
        own_changes::renounce_twice(self, cx)
    }

    #[action(permission = May("own"), detached)]
    async fn renounce_twice_detached(&self, cx: &Context<'_, Member>) -> Result<Values> {
        own_changes::renounce_twice(self, cx)
    }

    /// Sends `count` values and the end, one per permit.
    #[action(permission = May("own"))]
    async fn stream(&self, cx: &Context<'_, Member>, count: usize) -> Result<Values> {
        stream(&self.state, cx, count).await
    }

    #[action(permission = May("own"), in_order)]
    async fn stream_in_order(&self, cx: &Context<'_, Member>, count: usize) -> Result<Values> {
        stream(&self.state, cx, count).await
    }

    #[action(permission = May("own"), detached)]
    async fn stream_detached(&self, cx: &Context<'_, Member>, count: usize) -> Result<Values> {
        stream(&self.state, cx, count).await
    }

    /// Revokes the right of its own caller, refreshes connections as `how` says, and waits for a permit.
    #[action(permission = May("own"))]
    async fn renounce(&self, cx: &Context<'_, Member>, how: &str) -> Result<u32> {
        own_changes::renounce(self, cx, how).await
    }

    #[action(permission = May("own"), detached)]
    async fn renounce_detached(&self, cx: &Context<'_, Member>, how: &str) -> Result<u32> {
        own_changes::renounce(self, cx, how).await
    }

    #[action(permission = May("own"), blocking)]
    fn renounce_there(&self, cx: &Context<'_, Member>, how: &str) -> Result<u32> {
        Handle::current().block_on(own_changes::renounce(self, cx, how))
    }

    #[route("rooms/{room}/", permission = May("mount"))]
    fn rooms(&self) -> &Rooms {
        &self.rooms
    }
}

pub(crate) type Values = Streamed<Pin<Box<dyn Stream<Item = usize> + Send>>>;

async fn act(state: &State, cx: &Context<'_, Member>) -> Result<()> {
    cx.publish(Lobby, Said(1)).await?;
    cx.join(Room).await?;
    state.run().await;
    cx.leave(Lobby)?;
    cx.subscribe(Room).await?;
    cx.publish_to_others(Lobby, Said(2)).await
}

async fn stream(state: &Arc<State>, cx: &Context<'_, Member>, count: usize) -> Result<Values> {
    cx.publish(Lobby, Said(3)).await?;
    let state = state.clone();
    let values = stream::iter(1..=count + 1).filter_map(move |value| {
        let state = state.clone();
        async move {
            state.run().await;
            (value <= count).then_some(value)
        }
    });
    Ok(Streamed(values.boxed()))
}

#[handler(user = Member, permission = May("rooms"))]
impl Rooms {
    #[action(permission = May("room_action"))]
    async fn wait(&self, #[path] room: u32) -> u32 {
        self.state.run().await;
        room
    }

    #[route("shelves/{shelf}/", permission = May("shelf_mount"))]
    fn shelf(&self) -> &Shelf {
        &self.shelf
    }
}

#[handler(user = Member, permission = May("shelf"))]
impl Shelf {
    #[action(permission = "MayAccessShelf({room}, {shelf}) & May(\"shelf_action\")")]
    async fn wait(&self, #[path] room: u32) -> u32 {
        self.0.run().await;
        room
    }
}
