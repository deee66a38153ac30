// An async closure that captures state: the futures of several connections would borrow it at once.

use portcullis::{AllowAny, Result, consumer};

struct Chat;

#[consumer]
impl Chat {
    #[action(permission = AllowAny)]
    async fn ping(&self) {}
}

fn main() {
    let token = String::from("secret");
    let _ = portcullis::websocket(Chat).authenticate(async move |parts: &portcullis::http::request::Parts| {
        let _ = (parts, &token);
        Result::Ok(None)
    });
}
