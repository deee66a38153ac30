//! Blocks written by a `macro_rules` macro: types and names with different hygiene are resolved to each other.

use portcullis::{AllowAny, Context, GrantKey, Handler, Load, Object, ObjectKey, ObjectPermission, PermissionContext, Result, consumer, handler};

portcullis::permissions! {
    chat { read = "Reads" }
}

struct Note(u64);

impl<H: Handler> Load<H> for Note {
    type Key = u64;
    const CAPTURES: &'static [&'static str] = &[];

    async fn load(_: &H, _: &Context<'_, H::User>, key: &u64) -> Result<Option<Self>> {
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
    async fn has_object_permission(&self, _: &H, _: &PermissionContext<'_, H::User>, note: &Note) -> Result<bool> {
        Ok(note.0 % 2 == 1)
    }
}

macro_rules! block {
    ($handler:ident, $word:ident, $name:ident, $ty:ty, $whole:ty) => {
        struct $handler;

        #[handler]
        impl $handler {
            #[action(permission = Odd(first) & !Odd(second) & chat.read(third) & Odd($name) & Odd(fifth))]
            async fn file(
                &self,
                first: Object<$word>,
                second: Object<$ty>,
                third: $whole,
                $name: Option<Object<$word>>,
                #[path] fifth: Object<$ty>,
            ) -> u64 {
                first.0 + second.0 + third.0 + $name.map_or(0, |note| note.0) + fifth.0
            }

            #[action(permission = AllowAny(note))]
            fn plain(&self, note: Vec<Object<$ty>>, $name: u64) -> u64 {
                $name + note.iter().map(|note| note.0).sum::<u64>()
            }
        }
    };
}

block!(Notes, Note, fourth, Note, Object<Note>);

macro_rules! consumer {
    ($consumer:ident, $event:ident, $field:ident, $renew:ident, $name:ident, $ty:ty) => {
        struct $consumer;

        #[derive(portcullis::Event)]
        struct $event {
            $field: $ty,
        }

        #[consumer]
        impl $consumer {
            #[authenticate]
            async fn $renew(&self, cx: &Context<'_, ()>, $name: $ty, other: $ty) -> Result<Option<()>> {
                Ok(cx.user().filter(|()| $name == other).copied())
            }

            #[event(permission = AllowAny, key = $field)]
            fn sent(&self, event: &$event) -> $ty {
                event.$field
            }

            #[action(permission = AllowAny)]
            fn ping(&self) {}
        }
    };
}

consumer!(Chat, Sent, room, renew, token, u64);

fn main() {
    drop(Sent { room: 3 });
}
