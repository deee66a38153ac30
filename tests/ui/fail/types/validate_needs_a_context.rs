// `validate` with an argument whose validators need a context.

use garde::Validate;
use portcullis::{AllowAny, handler};
use serde::Deserialize;

struct Limits;

#[derive(Deserialize, Validate)]
#[garde(context(Limits))]
struct Draft {
    #[garde(length(max = 80))]
    title: String,
}

struct Notes;

#[handler(permission = AllowAny)]
impl Notes {
    #[action(validate)]
    async fn add(&self, draft: Draft) -> usize {
        draft.title.len()
    }
}

fn main() {}
