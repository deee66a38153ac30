// The user type of the `Context` differs from that of the block.

use portcullis::{AllowAny, Context, handler};

struct Rooms;

struct Member;

impl portcullis::User for Member {
    fn id(&self) -> std::borrow::Cow<'_, str> {
        "".into()
    }
}

#[handler(permission = AllowAny)]
impl Rooms {
    #[action]
    async fn read(&self, cx: &Context<'_, Member>) {
        let _ = cx;
    }
}

fn main() {}
