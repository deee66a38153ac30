//! The server with Portcullis.

use std::borrow::Cow;
use std::sync::Arc;

use axum::Router;
use portcullis::http::request::Parts;
use portcullis::{Error, IsAuthenticated, Permission, PermissionContext, Result, Str, User, consumer, handler};

use super::world::{Sent, World};

struct Member {
    id: u32,
}

impl User for Member {
    fn id(&self) -> Cow<'_, str> {
        self.id.to_string().into()
    }
}

struct Chat {
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

/// A member of the room of the argument.
struct NamedMember;

impl Permission<Named> for NamedMember {
    async fn has_permission(&self, named: &Named, cx: &PermissionContext<'_, Member>) -> Result<bool> {
        Ok(named.world.is_member(cx.argument("room_id")?, cx.require_user()?.id))
    }
}

pub(crate) fn app() -> Router {
    let world = World::new();
    let users = world.clone();
    let chat = Chat { rooms: Rooms { world: world.clone() }, named: Named { world } };
    let endpoint = portcullis::websocket(chat).authenticate(move |parts: &Parts| {
        let user = users.login(parts.uri.query()).map(|id| Member { id });
        async { Ok(user) }
    });
    Router::new().route("/ws", endpoint.into_route())
}
