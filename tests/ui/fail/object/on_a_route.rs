// A leaf about an object on a route, which has no parameters.

use portcullis::{Context, Handler, Load, ObjectPermission, PermissionContext, Result, consumer, handler};

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

struct Desk(Notes);

#[consumer]
impl Desk {
    #[route("notes/", permission = Author(note))]
    fn notes(&self) -> &Notes {
        &self.0
    }
}

#[handler(permission = inherited)]
impl Notes {
    #[action]
    async fn edit(&self) {}
}

fn main() {}
