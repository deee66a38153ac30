// The leaf is about a `Note`, but a local alias named `Object` loads another type.

use portcullis::{Context, Handler, Load, ObjectPermission, PermissionContext, Result, handler};

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

struct Pair<T>(T, T);

impl std::ops::Deref for Pair<Note> {
    type Target = Note;

    fn deref(&self) -> &Note {
        &self.0
    }
}

impl Load<Notes> for Pair<Note> {
    type Key = u32;
    const CAPTURES: &'static [&'static str] = &[];

    async fn load(_: &Notes, _: &Context<'_, ()>, _: &u32) -> Result<Option<Self>> {
        Ok(None)
    }
}

type Object<T> = portcullis::Object<Pair<T>>;

#[handler]
impl Notes {
    #[action(permission = Author(note))]
    async fn edit(&self, note: Object<Note>) {
        let _ = note;
    }
}

fn main() {}
