// `return` or `?` in an argument would leave the generated permission check.

use portcullis::{Handler, Permission, PermissionContext, Result, consumer};

struct HasRole(&'static str);

impl<H: Handler> Permission<H> for HasRole {
    async fn has_permission(&self, _: &H, _: &PermissionContext<'_, H::User>) -> Result<bool> {
        Ok(self.0.is_empty())
    }
}

struct Chat;

#[consumer]
impl Chat {
    #[action(permission = HasRole(return Ok(())))]
    async fn ping(&self) {}

    #[action(permission = "HasRole(role()?)")]
    async fn pong(&self) {}
}

fn main() {}
