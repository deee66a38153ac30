// `DenyAll` under another name about an object.

use portcullis::{Context, DenyAll as Never, Load, Object, Result, handler};

struct Notes;
struct Note;

impl Load<Notes> for Note {
    type Key = u32;
    const CAPTURES: &'static [&'static str] = &[];

    async fn load(_: &Notes, _: &Context<'_, ()>, _: &u32) -> Result<Option<Note>> {
        Ok(None)
    }
}

#[handler(user = ())]
impl Notes {
    #[action(permission = Never(note))]
    async fn edit(&self, note: Object<Note>) {
        drop(note);
    }
}

fn main() {}
