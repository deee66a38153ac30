// An argument of a quoted permission that does not exist: no suggestion replaces the whole expression.

use portcullis::{Handler, IsAuthenticated, Permission, PermissionContext, Result, consumer};

const ADMIN: u8 = 3;

struct Chat;
struct HasLevel(u8);

impl<H: Handler> Permission<H> for HasLevel {
    async fn has_permission(&self, _: &H, _: &PermissionContext<'_, H::User>) -> Result<bool> {
        Ok(self.0 >= ADMIN)
    }
}

#[consumer(user = ())]
impl Chat {
    #[action(permission = "IsAuthenticated & HasLevel(ADMN)")]
    async fn ping(&self) {}
}

fn main() {}
