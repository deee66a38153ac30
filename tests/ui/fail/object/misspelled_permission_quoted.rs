// A misspelled permission about an object in a quoted expression: no suggestion replaces the whole expression.

use portcullis::{AllowAny, Context, Handler, Load, Object, ObjectPermission, PermissionContext, Result, consumer};

struct Chat;
struct Note;
struct Author;

impl<H: Handler> Load<H> for Note {
    type Key = u32;
    const CAPTURES: &'static [&'static str] = &[];

    async fn load(_: &H, _: &Context<'_, H::User>, _: &u32) -> Result<Option<Self>> {
        Ok(Some(Self))
    }
}

impl<H: Handler> ObjectPermission<Note, H> for Author {
    async fn has_object_permission(&self, _: &H, _: &PermissionContext<'_, H::User>, _: &Note) -> Result<bool> {
        Ok(true)
    }
}

#[consumer(permission = AllowAny)]
impl Chat {
    #[action(permission = "Author(first) & Athor(second)")]
    async fn merge(&self, first: Object<Note>, second: Object<Note>) {
        drop((first, second));
    }
}

fn main() {}
