//! The runtime crate renamed: `crate` is given as a path and as a string.

extern crate portcullis as gate;

use gate::{AllowAny, Context, GrantKey, Handler, Load, Object, ObjectKey, ObjectPermission, PermissionContext};

gate::permissions! {
    crate = ::gate;
    chat { read = "Reads" }
}

struct Note(u64);

impl<H: Handler> Load<H> for Note {
    type Key = u64;
    const CAPTURES: &'static [&'static str] = &[];

    async fn load(_: &H, _: &Context<'_, H::User>, key: &u64) -> gate::Result<Option<Self>> {
        Ok(Some(Self(*key)))
    }
}

impl GrantKey for Note {
    fn grant_key(&self) -> ObjectKey {
        ObjectKey::new("note", self.0)
    }
}

struct Odd;

impl<H: Handler> ObjectPermission<Note, H> for Odd {
    async fn has_object_permission(&self, _: &H, _: &PermissionContext<'_, H::User>, note: &Note) -> gate::Result<bool> {
        Ok(note.0 % 2 == 1)
    }
}

struct Chat(Rooms);
struct Rooms;

#[gate::consumer(crate = ::gate, permission = AllowAny)]
impl Chat {
    #[action]
    async fn echo(&self, _cx: &Context<'_, ()>, text: String) -> String {
        text
    }

    #[gate::route("rooms/{room}/")]
    fn rooms(&self) -> &Rooms {
        &self.0
    }
}

#[gate::handler(crate = "gate", permission = AllowAny)]
impl Rooms {
    #[gate::action(permission = !Odd(note) & chat.read(list))]
    fn file(&self, note: gate::Object<Note>, #[object("a[].b")] list: Vec<Object<Note>>) -> u64 {
        note.0 + list.iter().map(|note| note.0).sum::<u64>()
    }

    #[gate::action]
    fn name(&self, #[path] room: String) -> String {
        room
    }
}

fn main() {}
