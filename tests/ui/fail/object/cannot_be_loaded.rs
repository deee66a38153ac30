// An object type that does not implement `Load` for the handler.

use portcullis::{Context, Handler, Load, Object, ObjectPermission, PermissionContext, Result, handler};

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

struct Other;

struct Any;

impl<H: Handler> ObjectPermission<Other, H> for Any {
    async fn has_object_permission(&self, _: &H, _: &PermissionContext<'_, H::User>, _: &Other) -> Result<bool> {
        Ok(false)
    }
}

#[handler]
impl Notes {
    #[action(permission = Any(other))]
    async fn edit(&self, other: Object<Other>) {
        let _ = other;
    }
}

fn main() {}
