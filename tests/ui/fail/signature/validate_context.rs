// `validate` that names the context.

use garde::Validate;
use portcullis::{AllowAny, Context, handler};
use serde::Deserialize;

#[derive(Deserialize, Validate)]
struct Draft {
    #[garde(length(max = 80))]
    title: String,
}

struct Notes;

#[handler(permission = AllowAny)]
impl Notes {
    #[action(validate(cx))]
    async fn add(&self, cx: &Context<'_, ()>, draft: Draft) -> usize {
        draft.title.len() + cx.scope().path().len()
    }
}

fn main() {}
