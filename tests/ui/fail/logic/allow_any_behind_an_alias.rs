// `AllowAny` under another name inside of an expression, detected during const evaluation.

use portcullis::{AllowAny as Open, Handler, Permission, PermissionContext, Result, consumer};

struct Chat;
struct Staff;

impl<H: Handler> Permission<H> for Staff {
    async fn has_permission(&self, _: &H, _: &PermissionContext<'_, H::User>) -> Result<bool> {
        Ok(true)
    }
}

#[consumer]
impl Chat {
    #[action(permission = Open | Staff)]
    async fn ping(&self) {}
}

fn main() {}
