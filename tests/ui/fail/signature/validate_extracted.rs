// `validate` that names an extracted value.

use garde::Validate;
use portcullis::{AllowAny, Context, FromContext, Result, handler};
use serde::Deserialize;

#[derive(Deserialize, Validate)]
struct Draft {
    #[garde(length(max = 80))]
    title: String,
}

struct Caller(u8);

impl FromContext<Notes> for Caller {
    async fn from_context(_: &Notes, _: &Context<'_, ()>) -> Result<Caller> {
        Ok(Caller(1))
    }
}

struct Notes;

#[handler(permission = AllowAny)]
impl Notes {
    #[action(validate(caller))]
    async fn add(&self, draft: Draft, #[extract] caller: Caller) -> usize {
        draft.title.len() + usize::from(caller.0)
    }
}

fn main() {}
