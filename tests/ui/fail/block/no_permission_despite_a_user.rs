// A module named `permissions` in the value of `user` does not count as a permission of the action.

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
