// `validate` that names a capture.

use garde::Validate;
use portcullis::{AllowAny, handler};
use serde::Deserialize;

#[derive(Deserialize, Validate)]
struct Draft {
    #[garde(length(max = 80))]
    title: String,
}

struct Notes;

#[handler(permission = AllowAny)]
impl Notes {
    #[action(validate(folder))]
    async fn add(&self, draft: Draft, #[path] folder: u8) -> usize {
        draft.title.len() + usize::from(folder)
    }
}

fn main() {}
