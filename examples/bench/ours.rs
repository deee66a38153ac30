//! The server with Portcullis.

use std::borrow::Cow;
use std::sync::Arc;

use axum::Router;
use portcullis::http::request::Parts;
use portcullis::{
    AllowAny, Context, Endpoint, Error, Event, EventPermission, Group, GroupPermission, IsAuthenticated, Permission,
    PermissionContext, Result, Scope, Str, User, consumer, handler,
};

use super::world::{SaidView, Sent, World};

pub(crate) struct Member {
    id: u32,
}

impl User for Member {
    fn id(&self) -> Cow<'_, str> {
        self.id.to_string().into()
    }
}

pub(crate) struct Chat {
    rooms: Rooms,
    named: Named,
}

#[consumer(user = Member, connect = "IsAuthenticated")]
impl Chat {
    #[route("rooms/{room_id}/")]
    fn rooms(&self) -> &Rooms {
        &self.rooms
    }

    #[route("chat")]
    fn named(&self) -> &Named {
        &self.named
    }

    #[event(permission = FromLevel)]
    fn said<'e>(&self, event: &'e Said) -> SaidView<'e> {
        SaidView { room_id: event.room_id, user: event.user, id: event.id, text: &event.text }
    }
}

/// A room that is named by the route.
struct Rooms {
    world: Arc<World>,
}

#[handler(user = Member, permission = "IsAuthenticated & RoomMember({room_id})")]
impl Rooms {
    #[action]
    async fn send_message(&self, text: Str<'_>) -> Result<Sent> {
        send(&self.world, &text)
    }

    #[action]
    async fn join(&self, cx: &Context<'_, Member>, #[path] room_id: u32) -> Result<()> {
        cx.join(Room(room_id)).await
    }

    #[action]
    async fn publish(
        &self,
        cx: &Context<'_, Member>,
        #[path] room_id: u32,
        text: String,
        min_level: Option<u8>,
    ) -> Result<Sent> {
        let sent = send(&self.world, &text)?;
        let (id, user) = (sent.id, cx.require_user()?.id);
        cx.publish(Room(room_id), Said { room_id, user, id, text, min_level: min_level.unwrap_or(0) }).await?;
        Ok(sent)
    }
}

/// A room that is named by an argument, for load generators that support one route only.
struct Named {
    world: Arc<World>,
}

#[handler(user = Member, permission = "IsAuthenticated & NamedMember")]
impl Named {
    #[action]
    async fn send_message(&self, text: Str<'_>) -> Result<Sent> {
        send(&self.world, &text)
    }
}

fn send(world: &World, text: &str) -> Result<Sent> {
    if text.is_empty() {
        return Err(Error::bad_request("A message needs some text."));
    }
    Ok(world.send())
}

/// A member of this room.
struct RoomMember(u32);

impl Permission<Rooms> for RoomMember {
    async fn has_permission(&self, rooms: &Rooms, cx: &PermissionContext<'_, Member>) -> Result<bool> {
        Ok(rooms.world.is_member(self.0, cx.require_user()?.id))
    }
}

/// A message to the members of a room from a level on.
#[derive(Event)]
struct Said {
    room_id: u32,
    user: u32,
    id: u64,
    text: String,
    min_level: u8,
}

/// The connections that receive what is said in a room. The action `publish` has checked the membership of the publisher,
/// once, as the other server does.
#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Chat, permission = RoomMember({0}), publish = AllowAny, events(Said))]
struct Room(u32);

impl GroupPermission<Room, Chat> for RoomMember {
    async fn may_join(&self, chat: &Chat, scope: &Scope<Member>, _: &Room) -> Result<bool> {
        Ok(scope.user().is_some_and(|member| chat.rooms.world.is_member(self.0, member.id)))
    }
}

struct FromLevel;

impl EventPermission<Said, Chat> for FromLevel {
    fn may_see(&self, _: &Chat, scope: &Scope<Member>, event: &Said) -> bool {
        scope.user().is_some_and(|member| World::level(member.id) >= event.min_level)
    }
}

/// A member of the room of the argument.
struct NamedMember;

impl Permission<Named> for NamedMember {
    async fn has_permission(&self, named: &Named, cx: &PermissionContext<'_, Member>) -> Result<bool> {
        Ok(named.world.is_member(cx.argument("room_id")?, cx.require_user()?.id))
    }
}

pub(crate) fn app() -> Router {
    serve(endpoint())
}

pub(crate) fn serve(endpoint: Endpoint<Chat>) -> Router {
    Router::new().route("/ws", endpoint.into_route())
}

pub(crate) fn endpoint() -> Endpoint<Chat> {
    let world = World::new();
    let users = world.clone();
    let chat = Chat { rooms: Rooms { world: world.clone() }, named: Named { world } };
    portcullis::websocket(chat).authenticate(move |parts: &Parts| {
        let user = users.login(parts.uri.query()).map(|id| Member { id });
        async { Ok(user) }
    })
}
