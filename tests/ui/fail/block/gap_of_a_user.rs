// The context of `#[gap]` names the consumer, not the user.

use portcullis::{AllowAny, Gap, User, consumer};

struct Member;

impl User for Member {
    fn id(&self) -> std::borrow::Cow<'_, str> {
        "7".into()
    }
}

struct Chat;

#[consumer(user = Member, permission = AllowAny)]
impl Chat {
    #[gap]
    async fn on_gap(&self, _cx: &Gap<'_, Member>) {}

    #[action]
    async fn ping(&self) {}
}

fn main() {}
