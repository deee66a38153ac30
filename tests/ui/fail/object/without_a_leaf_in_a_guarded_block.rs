// An object for which no permission is evaluated: the permission of the block takes no parameters.

use portcullis::{AllowAny, Context, Handler, Load, Object, ObjectPermission, PermissionContext, Result, handler};

struct Notes;
struct Note;

impl Load<Notes> for Note {
    type Key = u32;
    const CAPTURES: &'static [&'static str] = &[];

    async fn load(_: &Notes, _: &Context<'_, ()>, _: &u32) -> Result<Option<Note>> {
        Ok(None)
    }
}

struct Author;

impl<H: Handler> ObjectPermission<Note, H> for Author {
    async fn has_object_permission(&self, _: &H, _: &PermissionContext<'_, H::User>, _: &Note) -> Result<bool> {
        Ok(false)
    }
}

#[handler(permission = AllowAny)]
impl Notes {
    #[action]
    async fn edit(&self, note: Object<Note>) {
        let _ = note;
    }
}

fn main() {}
