// A context names a user, and the block does not.

use portcullis::{AllowAny, Context, User, consumer};

struct Member;

impl User for Member {
    fn id(&self) -> std::borrow::Cow<'_, str> {
        "7".into()
    }
}

struct Chat;

#[consumer(permission = AllowAny)]
impl Chat {
    #[action]
    async fn ping(&self, cx: &Context<'_, Member>) {
        let _ = cx.user();
    }

    #[action]
    async fn pong(&self, cx: &Context<'_, Member>) {
        let _ = cx.user();
    }
}

fn main() {}
