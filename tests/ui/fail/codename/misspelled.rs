// An undeclared codename in a declared group.

use portcullis::{IsAuthenticated, User, consumer};

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
    #[action(permission = IsAuthenticated & chat.can_use_chatt)]
    async fn talk(&self) {}
}

fn main() {}
