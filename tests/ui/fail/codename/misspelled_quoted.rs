// An undeclared codename in a quoted expression.

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

#[consumer(user = Member)]
impl Chat {
    #[action(permission = "chat.can_use_chatt")]
    async fn talk(&self) {}
}

fn main() {}
