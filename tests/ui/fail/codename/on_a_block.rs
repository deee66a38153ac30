// A codename with a parameter on a block, which has no parameters.

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

#[consumer(user = Member, permission = chat.can_use_chat(room))]
impl Chat {
    #[action(permission = IsAuthenticated)]
    async fn talk(&self) {}
}

fn main() {}
