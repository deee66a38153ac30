// `#[authenticate]` returns another user type than that of the block. The error is at the return type.

use portcullis::{AllowAny, Result, User, consumer};
use std::borrow::Cow;

struct Member;
struct Guest;

impl User for Member {
    fn id(&self) -> Cow<'_, str> {
        "member".into()
    }
}

struct Chat;

#[consumer(user = Member, permission = AllowAny)]
impl Chat {
    #[authenticate]
    async fn renew(&self) -> Result<Option<Guest>> {
        Ok(Some(Guest))
    }

    #[action]
    async fn ping(&self) {}
}

fn main() {}
