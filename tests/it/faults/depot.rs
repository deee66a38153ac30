//! The consumer of the tests: each of its callbacks is a place, and fails while the place is armed.

use std::borrow::Cow;
use std::sync::Arc;

use portcullis::{
    AllowAny, ConnectContext, Context, Disconnect, Error, Event, EventPermission, FromContext, GrantKey, GrantSet,
    GrantSource, Group, GroupPermission, Load, Object, ObjectKey, ObjectPermission, Overwrites, Permission,
    PermissionContext, Result, Rule, Scope, UserGrants, consumer,
};
use serde::{Deserialize, Serialize, Serializer};

use super::{State, id_of};
use crate::common::codenames::uploads;
use crate::common::{Member, member};

/// Grants `uploads.read` to everyone.
pub(super) struct Grants(pub(super) Arc<State>);

impl GrantSource<Member> for Grants {
    fn coalesce_key<'a>(&'a self, user: &'a Member) -> Option<Cow<'a, str>> {
        self.0.run_sync("coalesce_key", user.id).unwrap();
        None
    }

    async fn load(&self, user: &Member) -> Result<UserGrants> {
        self.0.run("uploads.read", user.id).await?;
        Ok(GrantSet::from(uploads::read).into())
    }

    async fn overwrites(&self, objects: &[ObjectKey]) -> Result<Vec<Overwrites>> {
        // The board of a user has the user's number.
        for user in [super::SUBJECT, super::BYSTANDER] {
            if objects.contains(&ObjectKey::new("board", u64::from(user))) {
                self.0.run("uploads.read(board)", user).await?;
            }
        }
        Ok(objects.iter().map(|_| Overwrites::new()).collect())
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct BoardId(pub(super) u32);

impl GrantKey for BoardId {
    fn grant_key(&self) -> ObjectKey {
        ObjectKey::new("board", u64::from(self.0))
    }
}

pub(super) struct Depot(Arc<State>);

impl Depot {
    pub(super) fn new(state: Arc<State>) -> Depot {
        Depot(state)
    }
}

/// A leaf of an action.
struct Plain;

impl Permission<Depot> for Plain {
    async fn has_permission(&self, depot: &Depot, cx: &PermissionContext<'_, Member>) -> Result<bool> {
        depot.0.run("Plain", id_of(cx.user())).await.map(|()| true)
    }
}

/// A rule, which stands in every place.
struct Ruled;

impl Rule<Depot> for Ruled {
    async fn holds(&self, depot: &Depot, scope: &Scope<Member>) -> Result<bool> {
        depot.0.run("Ruled", id_of(scope.user())).await.map(|()| true)
    }
}

/// The permission of the block, with an opinion on connecting.
struct Opinion;

impl Permission<Depot> for Opinion {
    async fn has_permission(&self, _: &Depot, _: &PermissionContext<'_, Member>) -> Result<bool> {
        Ok(true)
    }

    async fn can_connect(&self, depot: &Depot, cx: &ConnectContext<'_, Member>) -> Result<Option<bool>> {
        depot.0.run("Opinion", id_of(cx.user())).await.map(|()| Some(true))
    }
}

/// A leaf of the strict connect expression without an opinion.
struct Strict;

impl Permission<Depot> for Strict {
    async fn has_permission(&self, depot: &Depot, cx: &PermissionContext<'_, Member>) -> Result<bool> {
        depot.0.run("Strict", id_of(cx.user())).await.map(|()| true)
    }
}

struct Crate;

impl Load<Depot> for Crate {
    type Key = u32;
    const CAPTURES: &'static [&'static str] = &[];

    async fn load(depot: &Depot, cx: &Context<'_, Member>, _: &u32) -> Result<Option<Crate>> {
        depot.0.run("load", id_of(cx.user())).await.map(|()| Some(Crate))
    }
}

struct Sealed;

impl ObjectPermission<Crate, Depot> for Sealed {
    async fn has_object_permission(
        &self,
        depot: &Depot,
        cx: &PermissionContext<'_, Member>,
        _: &Crate,
    ) -> Result<bool> {
        depot.0.run("Sealed(item)", id_of(cx.user())).await.map(|()| true)
    }
}

/// An extracted parameter.
struct Shift;

impl FromContext<Depot> for Shift {
    async fn from_context(depot: &Depot, cx: &Context<'_, Member>) -> Result<Shift> {
        depot.0.run("extract", id_of(cx.user())).await.map(|()| Shift)
    }
}

struct Enter;
struct Publish;

impl<G: Sync> GroupPermission<G, Depot> for Enter {
    async fn may_join(&self, depot: &Depot, scope: &Scope<Member>, _: &G) -> Result<bool> {
        depot.0.run("Enter", id_of(scope.user())).await.map(|()| true)
    }
}

impl<G: Sync> GroupPermission<G, Depot> for Publish {
    async fn may_join(&self, depot: &Depot, scope: &Scope<Member>, _: &G) -> Result<bool> {
        depot.0.run("Publish", id_of(scope.user())).await.map(|()| true)
    }
}

/// Every connection is a member. Only the `publish` expression and the events can fail.
#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Depot, permission = AllowAny, publish = Publish, events(Said, Watched, Weighed, Granted, Posted, Framed, Packed))]
pub(super) struct Hall;

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Depot, permission = Enter, publish = members, events(Said), public_name = "entered")]
pub(super) struct Entered;

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Depot, permission = Ruled, publish = members, events(Said), public_name = "ruled")]
pub(super) struct RuledGroup;

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Depot, permission = uploads.read, publish = members, events(Said), public_name = "archive")]
pub(super) struct Archive;

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Depot, permission = "uploads.read(board)", publish = members, events(Said), public_name = "board")]
pub(super) struct Board {
    pub(super) board: BoardId,
}

#[derive(Event)]
pub(super) struct Said(pub(super) u32);
#[derive(Event)]
pub(super) struct Watched(pub(super) u32);
#[derive(Event)]
pub(super) struct Weighed(pub(super) u32);
#[derive(Event)]
pub(super) struct Granted(pub(super) u32);
#[derive(Event)]
pub(super) struct Posted {
    pub(super) board: BoardId,
    pub(super) number: u32,
}
/// Its `#[event]` method fails.
#[derive(Event)]
pub(super) struct Framed(pub(super) u32);
/// Its data fails to serialize.
#[derive(Event)]
pub(super) struct Packed(pub(super) u32);

/// Data whose serialization fails.
struct Data(Arc<State>, u32, u32);

impl Serialize for Data {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        self.0.run_sync("packed", self.1).map_err(serde::ser::Error::custom)?;
        self.2.serialize(serializer)
    }
}

struct Watch;

impl EventPermission<Watched, Depot> for Watch {
    fn may_see(&self, depot: &Depot, scope: &Scope<Member>, _: &Watched) -> bool {
        depot.0.run_sync("Watch", id_of(scope.user())).is_ok()
    }
}

#[consumer(user = Member, connect = Strict, permission = Opinion)]
impl Depot {
    #[connect]
    async fn on_connect(&self, cx: &ConnectContext<'_, Member>) -> Result<()> {
        cx.join(Hall).await?;
        self.0.run("#[connect]", id_of(cx.user())).await
    }

    #[disconnect]
    async fn on_disconnect(&self, cx: &Disconnect<'_, Member>) {
        self.0.run("#[disconnect]", id_of(cx.user())).await.unwrap();
    }

    #[authenticate]
    async fn log_in(&self, id: u32) -> Result<Option<Member>> {
        self.0.run("authenticate", id).await?;
        Ok(Some(member(id, &[])))
    }

    #[event(permission = AllowAny)]
    fn said(event: &Said) -> &u32 {
        &event.0
    }

    #[event(permission = Watch)]
    fn watched(event: &Watched) -> &u32 {
        &event.0
    }

    #[event(permission = Ruled)]
    fn weighed(event: &Weighed) -> &u32 {
        &event.0
    }

    #[event(permission = uploads.read)]
    fn granted(event: &Granted) -> &u32 {
        &event.0
    }

    #[event(permission = "uploads.read(board)")]
    fn posted(event: &Posted) -> &u32 {
        &event.number
    }

    #[event(permission = AllowAny)]
    fn framed(&self, event: &Framed, scope: &Scope<Member>) -> Option<u32> {
        self.0.run_sync("framed", id_of(scope.user())).unwrap();
        scope.user().map(|_| event.0)
    }

    #[event(permission = AllowAny)]
    fn packed(&self, event: &Packed, scope: &Scope<Member>) -> Option<Data> {
        scope.user().map(|member| Data(self.0.clone(), member.id, event.0))
    }

    #[action]
    async fn ping(&self) {}

    #[action(permission = Plain)]
    async fn plain(&self) {
        self.body().await;
    }

    #[action(permission = Ruled)]
    async fn ruled(&self) {
        self.body().await;
    }

    #[action(permission = uploads.read)]
    async fn granted_action(&self) {
        self.body().await;
    }

    #[action(permission = uploads.read(board))]
    async fn on_board(&self, board: BoardId) {
        let _ = board;
        self.body().await;
    }

    #[action(permission = Sealed(item))]
    async fn open_crate(&self, item: Object<Crate>) {
        let _ = item;
        self.body().await;
    }

    #[action]
    async fn on_shift(&self, #[extract] shift: Shift) {
        let _ = shift;
        self.body().await;
    }

    #[action]
    async fn act(&self, cx: &Context<'_, Member>) -> Result<()> {
        self.0.run("act", id_of(cx.user())).await
    }

    #[action(detached)]
    async fn act_detached(&self, cx: &Context<'_, Member>) -> Result<()> {
        self.0.run("act_detached", id_of(cx.user())).await
    }

    #[action]
    async fn announce(&self, cx: &Context<'_, Member>) -> Result<()> {
        let hall = cx.publish_permit(Hall).await?;
        self.body().await;
        let _ = hall;
        Ok(())
    }

    #[action]
    async fn join(&self, cx: &Context<'_, Member>, group: String, board: BoardId) -> Result<()> {
        match &*group {
            "Enter" => cx.join(Entered).await,
            "Ruled" => cx.join(RuledGroup).await,
            "uploads.read" | "coalesce_key" => cx.join(Archive).await,
            "uploads.read(board)" => cx.join(Board { board }).await,
            _ => Err(Error::not_found()),
        }
    }

    #[action]
    async fn subscribe(&self, cx: &Context<'_, Member>, group: String, board: BoardId) -> Result<()> {
        match &*group {
            "Enter" => cx.subscribe(Entered).await,
            "Ruled" => cx.subscribe(RuledGroup).await,
            "uploads.read" | "coalesce_key" => cx.subscribe(Archive).await,
            "uploads.read(board)" => cx.subscribe(Board { board }).await,
            _ => Err(Error::not_found()),
        }
    }
}

impl Depot {
    /// Waits in the body of an action until the test lets it end.
    async fn body(&self) {
        self.0.begun.add_permits(1);
        self.0.may_end.acquire().await.unwrap().forget();
    }
}
