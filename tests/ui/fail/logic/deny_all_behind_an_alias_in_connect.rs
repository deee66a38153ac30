// `DenyAll` under another name inside of a connect expression.

use portcullis::{AllowAny, DenyAll as Closed, Handler, Permission, PermissionContext, Result, consumer};

struct Chat;
struct Staff;

impl<H: Handler> Permission<H> for Staff {
    async fn has_permission(&self, _: &H, _: &PermissionContext<'_, H::User>) -> Result<bool> {
        Ok(true)
    }
}

#[consumer(permission = AllowAny, connect = Staff & !Closed)]
impl Chat {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
