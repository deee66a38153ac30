// A user type that does not exist. It is not reported for each action.

use portcullis::{AllowAny, Event, IsAuthenticated, consumer};

struct Chat;
struct Member;

impl portcullis::User for Member {
    fn id(&self) -> std::borrow::Cow<'_, str> {
        "7".into()
    }
}

#[derive(Event)]
struct Sent;

#[consumer(user = Membr, permission = IsAuthenticated)]
impl Chat {
    #[action]
    async fn read(&self) {}

    #[action]
    async fn write(&self, text: String) {
        let _ = text;
    }

    #[event(permission = AllowAny)]
    fn sent(&self, _: &Sent) -> u32 {
        5
    }
}

fn main() {}
