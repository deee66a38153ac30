// A type written as a codename.

use portcullis::{User, consumer};

struct Chat;
struct Member;

impl User for Member {
    fn id(&self) -> std::borrow::Cow<'_, str> {
        "7".into()
    }
}

portcullis::permissions! {
    chat {
        can_use_chat = "Can use chat",
    }
}

mod rules {
    pub struct Author;
}

#[consumer(user = Member)]
impl Chat {
    #[action(permission = rules.Author)]
    async fn talk(&self) {}
}

fn main() {}
