// The leaf about the object has no effect, because the permission of the block already implies the expression.

use portcullis::{Context, Handler, IsAuthenticated, Load, Object, ObjectPermission, PermissionContext, Result, handler};

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

#[handler(user = (), permission = IsAuthenticated)]
impl Notes {
    #[action(permission = IsAuthenticated | Author(note))]
    async fn edit(&self, note: Object<Note>) {
        let _ = note;
    }
}

fn main() {}
