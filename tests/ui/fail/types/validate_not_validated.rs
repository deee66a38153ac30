// `validate` with an argument that does not implement `garde::Validate`.

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
    #[action(validate)]
    async fn add(&self, draft: Draft, folder: u64) -> usize {
        draft.title.len() + usize::try_from(folder).unwrap()
    }
}

fn main() {}
