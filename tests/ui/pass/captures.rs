//! Captures as arguments of leaves, with values of every form next to them.

use portcullis::{
    AllowAny, Blocking, BlockingPermission, Context, Handler, Load, Object, ObjectPermission, Permission,
    PermissionContext, Result, consumer, handler,
};

const LIMIT: u32 = 5;

struct Between<T>(T, u32, &'static str);

impl<H: Handler, T: PartialOrd<u32> + Send + Sync + 'static> Permission<H> for Between<T> {
    async fn has_permission(&self, _: &H, _: &PermissionContext<'_, H::User>) -> Result<bool> {
        Ok(self.0 < self.1 && !self.2.is_empty())
    }
}

struct Named(String, Option<u8>, [u8; 2]);

impl<H: Handler> BlockingPermission<H> for Named {
    fn check(
        &self,
        _: &H,
        _: &PermissionContext<'_, H::User>,
    ) -> Result<impl FnOnce() -> Result<bool> + Send + 'static> {
        let is_named = !self.0.is_empty() && self.1.is_some() && self.2[0] == self.2[1];
        Ok(move || Ok(is_named))
    }
}

struct Note(u32);

impl<H: Handler> Load<H> for Note {
    type Key = u32;
    const CAPTURES: &'static [&'static str] = &["room"];

    async fn load(_: &H, cx: &Context<'_, H::User>, key: &u32) -> Result<Option<Note>> {
        Ok((*key == cx.capture::<u32>("room")?).then_some(Note(*key)))
    }
}

struct InRoom(u32);

impl<H: Handler> ObjectPermission<Note, H> for InRoom {
    async fn has_object_permission(&self, _: &H, _: &PermissionContext<'_, H::User>, note: &Note) -> Result<bool> {
        Ok(note.0 == self.0)
    }
}

struct Site(Rooms<u8>);
struct Rooms<T>(T);

#[consumer]
impl Site {
    #[route("rooms/{room:[0-9]+}/{type}/{*rest}", permission = "Between::<u32>({room}, 3, \"a\")")]
    fn rooms(&self) -> &Rooms<u8> {
        &self.0
    }
}

#[handler(permission = !Between::<u32>({room}, LIMIT, "x{y}") & Between<u32>({ room }, 2 + LIMIT, stringify!({ room })))]
impl<T: Send + Sync + 'static> Rooms<T> {
    const MOST: u32 = 7;

    #[action(permission = "Blocking(Named({r#type}, Some({room}), [{room}, 3]))")]
    fn read(&self, #[path] room: u32) -> u32 {
        room
    }

    #[action(permission = Between::<u32>({room}, Self::MOST, "z") | InRoom(note, {room},))]
    fn write(&self, note: Object<Note>, #[path("rest")] more: String) -> String {
        format!("{}{more}", note.0)
    }
}

struct Unmounted;

#[handler(permission = AllowAny)]
impl Unmounted {
    fn name() -> &'static str {
        "z"
    }

    #[action(permission = Between::<u32>({any}, if LIMIT > 3 { LIMIT } else { 4 }, Self::name()))]
    fn call(&self) {}
}

fn main() {}
