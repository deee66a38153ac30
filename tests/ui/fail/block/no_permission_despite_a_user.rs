// The module of the user type says nothing about permissions: the action is open by silence all the same.

use std::borrow::Cow;

use portcullis::{User, consumer};

mod permissions {
    pub struct Member;
}

impl User for permissions::Member {
    fn id(&self) -> Cow<'_, str> {
        "1".into()
    }
}

struct Chat;

#[consumer(user = permissions::Member)]
impl Chat {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
