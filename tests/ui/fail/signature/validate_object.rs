// `validate` that names an object.

use portcullis::{AllowAny, Context, Load, Object, Result, handler};

struct Note;

impl Load<Notes> for Note {
    type Key = u32;
    const CAPTURES: &'static [&'static str] = &[];

    async fn load(_: &Notes, _: &Context<'_, ()>, _: &u32) -> Result<Option<Note>> {
        Ok(Some(Note))
    }
}

struct Notes;

#[handler]
impl Notes {
    #[action(permission = AllowAny(note), validate(note))]
    async fn read(&self, note: Object<Note>) {
        drop(note);
    }
}

fn main() {}
