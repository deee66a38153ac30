// An argument of another type than the permission takes, in a quoted expression: no suggestion edits the literal.

use portcullis::{Handler, IsAuthenticated, Permission, PermissionContext, Result, consumer};

struct Chat;
struct HasRole(String);

impl<H: Handler> Permission<H> for HasRole {
    async fn has_permission(&self, _: &H, _: &PermissionContext<'_, H::User>) -> Result<bool> {
        Ok(self.0 == "admin")
    }
}

#[consumer(user = ())]
impl Chat {
    #[action(permission = "IsAuthenticated & HasRole(\"admin\")")]
    async fn ping(&self) {}
}

fn main() {}
