// A module named `permissions` in the value of `connect` does not count as a permission of the action.

use portcullis::{Handler, Permission, PermissionContext, Result, consumer};

mod permissions {
    pub struct LoggedIn;
}

impl<H: Handler> Permission<H> for permissions::LoggedIn {
    async fn has_permission(&self, _: &H, _: &PermissionContext<'_, H::User>) -> Result<bool> {
        Ok(true)
    }
}

struct Chat;

#[consumer(connect = permissions::LoggedIn)]
impl Chat {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
