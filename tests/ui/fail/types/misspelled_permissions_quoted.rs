// Two misspelled permissions in one quoted expression, and one in `connect`: one error each.

use portcullis::{Handler, IsAuthenticated, Permission, PermissionContext, Result, consumer};

struct Chat;
struct Staff;

impl<H: Handler> Permission<H> for Staff {
    async fn has_permission(&self, _: &H, _: &PermissionContext<'_, H::User>) -> Result<bool> {
        Ok(true)
    }
}

#[consumer(user = (), permission = IsAuthenticated, connect = "Staff & IsAuthentcated")]
impl Chat {
    #[action(permission = "Stff & !IsAuthentikated")]
    async fn ping(&self) {}
}

fn main() {}
