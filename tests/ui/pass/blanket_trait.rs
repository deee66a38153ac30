// A trait of the application has an impl for every type, and items with the names of those of a permission.

use portcullis::{AllowAny, IsAuthenticated, Permission, PermissionContext, Result, User, consumer};

pub trait Described {
    const HEADERS: &'static str = "none";
    const REEVALUATE: u8 = 0;
    const ANSWER: u8 = 0;
    fn can_connect() {}
}

impl<T> Described for T {}

pub struct Member;

impl User for Member {
    fn id(&self) -> std::borrow::Cow<'_, str> {
        "7".into()
    }
}

pub struct Staff;

impl Permission<Chat> for Staff {
    async fn has_permission(&self, _: &Chat, _: &PermissionContext<'_, Member>) -> Result<bool> {
        Ok(true)
    }
}

pub struct Chat;

#[consumer(user = Member, connect = IsAuthenticated & Staff)]
impl Chat {
    #[action(permission = AllowAny)]
    async fn ping(&self) {}

    #[action(permission = IsAuthenticated & !Staff)]
    async fn pong(&self) {}
}

fn main() {
    drop(portcullis::websocket(Chat));
}
