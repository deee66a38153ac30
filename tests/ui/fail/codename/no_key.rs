// The parameter of a codename must identify an object, and `u32` does not.

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
    #[action(permission = chat.can_use_chat(room))]
    async fn talk(&self, room: u32) {
        let _ = room;
    }
}

fn main() {}
