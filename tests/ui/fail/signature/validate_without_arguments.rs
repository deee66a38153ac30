// `validate` on an action that reads nothing from the message.

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
    async fn add(&self, #[path] folder: u8) -> usize {
        usize::from(folder) + Draft { title: String::new() }.title.len()
    }
}

fn main() {}
