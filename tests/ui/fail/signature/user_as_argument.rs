// The user type of the block as an argument: the client would choose the user. Owned, borrowed and optional.

use portcullis::{IsAuthenticated, User, handler};
use serde::Deserialize;

#[derive(Deserialize)]
struct Member;

impl User for Member {
    fn id(&self) -> std::borrow::Cow<'_, str> {
        "7".into()
    }
}

struct Rooms;

#[handler(user = Member, permission = IsAuthenticated)]
impl Rooms {
    #[action]
    async fn rename(&self, user: Member) {
        let _ = user;
    }

    #[action]
    async fn leave(&self, user: &Member) {
        let _ = user;
    }

    #[action]
    async fn invite(&self, user: Option<Member>) {
        let _ = user;
    }
}

fn main() {}
