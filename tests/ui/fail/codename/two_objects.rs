// A codename with two parameters: it takes at most one.

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
    #[action(permission = chat.can_use_chat(a, b))]
    async fn talk(&self, a: u32, b: u32) {
        let _ = (a, b);
    }
}

fn main() {}
