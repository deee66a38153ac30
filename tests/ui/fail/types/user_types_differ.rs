// A handler with another user type than that of the consumer that mounts it. The error is at the handler's type.

use portcullis::{IsAuthenticated, consumer, handler};

struct Chat(Rooms);
struct Rooms;

struct Member;

impl portcullis::User for Member {
    fn id(&self) -> std::borrow::Cow<'_, str> {
        "".into()
    }
}

#[consumer(user = Member, permission = IsAuthenticated)]
impl Chat {
    #[route("rooms/{id}/")]
    fn rooms(&self) -> &Rooms {
        &self.0
    }
}

#[handler(user = (), permission = IsAuthenticated)]
impl Rooms {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
