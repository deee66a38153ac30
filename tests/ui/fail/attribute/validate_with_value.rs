// `validate` with a value.

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
    #[action(validate = true)]
    async fn add(&self, draft: Draft) -> usize {
        draft.title.len()
    }
}

fn main() {}
