// A permission type in the middle of a quoted expression that does not exist: the similar name is shown, but no suggestion
// replaces the whole expression by it.

use portcullis::{Handler, IsAuthenticated, Permission, PermissionContext, Result, consumer};

struct Chat;
struct Staff;

impl<H: Handler> Permission<H> for Staff {
    async fn has_permission(&self, _: &H, _: &PermissionContext<'_, H::User>) -> Result<bool> {
        Ok(true)
    }
}

#[consumer(user = (), permission = IsAuthenticated)]
impl Chat {
    #[action(permission = "Staff & (Stff | !IsAuthenticated)")]
    async fn ping(&self) {}
}

fn main() {}
