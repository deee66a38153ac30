// A permission that is implemented for handlers of another user type.

use portcullis::{Handler, Permission, PermissionContext, Result, handler};

struct Rooms;
struct IsStaff;

struct Member;

impl portcullis::User for Member {
    fn id(&self) -> std::borrow::Cow<'_, str> {
        "".into()
    }
}

impl<H: Handler<User = Member>> Permission<H> for IsStaff {
    async fn has_permission(&self, _: &H, _: &PermissionContext<'_, Member>) -> Result<bool> {
        Ok(true)
    }
}

#[handler(permission = IsStaff)]
impl Rooms {
    #[action]
    async fn read(&self) {}
}

fn main() {}
