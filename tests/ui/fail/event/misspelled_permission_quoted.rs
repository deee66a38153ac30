// A misspelled permission in the quoted expression of an event: no suggestion replaces the whole expression.

use portcullis::{AllowAny, Event, EventPermission, IsAuthenticated, Scope, consumer};

#[derive(Event)]
struct Said;
struct Chat;
struct NotMuted;

impl EventPermission<Said, Chat> for NotMuted {
    fn may_see(&self, _: &Chat, _: &Scope<()>, _: &Said) -> bool {
        true
    }
}

#[consumer(user = (), permission = AllowAny)]
impl Chat {
    #[event(permission = "IsAuthenticated & NotMutd")]
    fn said(_event: &Said) -> &str {
        ""
    }

    #[action]
    async fn ping(&self) {}
}

fn main() {}
