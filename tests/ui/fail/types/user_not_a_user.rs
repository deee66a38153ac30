// The user type does not implement `User`: one error, at the type.
use portcullis::{AllowAny, consumer};

struct Member;

struct Chat;

#[consumer(user = Member)]
impl Chat {
    #[action(permission = AllowAny)]
    async fn ping(&self, text: String) -> String {
        text
    }
}

fn main() {
    let _ = portcullis::websocket(Chat);
}
