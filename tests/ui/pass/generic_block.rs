//! A generic block: an application replaces one decision of a library handler through a type parameter.

use std::future::Future;
use std::marker::PhantomData;

use portcullis::{AllowAny, Consumer, Context, GrantKey, Handler, IsAuthenticated, Load, Object, ObjectKey, ObjectPermission, Permission, PermissionContext, Result, consumer, handler};
use serde::Deserialize;

portcullis::permissions! {
    chat { read = "Reads" }
}

trait RoomPolicy: Send + Sync + 'static {
    type Room: for<'de> Deserialize<'de> + Send;

    fn may_send(&self) -> impl Future<Output = bool> + Send {
        async { true }
    }
}

struct Rooms<P, const LIMIT: usize>(P);

struct MaySend<P>(PhantomData<P>);

impl<P: RoomPolicy, const LIMIT: usize> Permission<Rooms<P, LIMIT>> for MaySend<P>
where
    P::Room: Clone,
{
    async fn has_permission(&self, rooms: &Rooms<P, LIMIT>, _: &PermissionContext<'_, ()>) -> Result<bool> {
        Ok(rooms.0.may_send().await)
    }
}

struct Note<P>(PhantomData<P>, u64);

impl<P: Send + Sync + 'static, H: Handler> Load<H> for Note<P> {
    type Key = u64;
    const CAPTURES: &'static [&'static str] = &[];

    async fn load(_: &H, _: &Context<'_, H::User>, key: &u64) -> Result<Option<Self>> {
        Ok(Some(Self(PhantomData, *key)))
    }
}

impl<P> GrantKey for Note<P> {
    fn grant_key(&self) -> ObjectKey {
        ObjectKey::new("note", self.1)
    }
}

struct Odd<P>(PhantomData<P>);

impl<P: Send + Sync + 'static, H: Handler> ObjectPermission<Note<P>, H> for Odd<P> {
    async fn has_object_permission(&self, _: &H, _: &PermissionContext<'_, H::User>, note: &Note<P>) -> Result<bool> {
        Ok(note.1 % 2 == 1)
    }
}

#[handler(user = (), permission = "MaySend<P>(PhantomData) & IsAuthenticated")]
impl<P: RoomPolicy, const LIMIT: usize> Rooms<P, LIMIT>
where
    P::Room: Clone,
{
    #[action]
    async fn send(&self, room: P::Room, rest: Option<P::Room>) -> usize {
        let _ = (room.clone(), rest);
        LIMIT
    }

    #[action(permission = !Odd::<P>(note, PhantomData) & chat.read(more) & AllowAny(rest))]
    fn file(&self, note: Object<Note<P>>, more: Vec<Object<Note<P>>>, #[path("room_id")] rest: Object<Note<P>>) -> u64 {
        note.1 + rest.1 + more.iter().map(|note| note.1).sum::<u64>()
    }

    #[action(permission = Quiet::<LIMIT>)]
    fn again(&self, #[path] room_id: u64) -> u64 {
        room_id
    }
}

struct Quiet<const LIMIT: usize>;

impl<H: Handler, const LIMIT: usize> Permission<H> for Quiet<LIMIT> {
    async fn has_permission(&self, _: &H, _: &PermissionContext<'_, H::User>) -> Result<bool> {
        Ok(LIMIT > 0)
    }
}

struct Chat<P>(Rooms<P, 8>);

#[consumer]
impl<P: RoomPolicy> Chat<P>
where
    P::Room: Clone,
{
    #[route("rooms/{room_id}/")]
    fn rooms(&self) -> &Rooms<P, 8> {
        &self.0
    }
}

struct Mine;

impl RoomPolicy for Mine {
    type Room = String;

    async fn may_send(&self) -> bool {
        false
    }
}

fn is<C: Consumer>() {}

fn main() {
    is::<Chat<Mine>>();
}
