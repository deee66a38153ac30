// `AllowAny` behind a type alias inside of a quoted expression of a block.

use portcullis::{AllowAny, Handler, Permission, PermissionContext, Result, handler};

type Open = AllowAny;

struct Rooms;
struct Staff;

impl<H: Handler> Permission<H> for Staff {
    async fn has_permission(&self, _: &H, _: &PermissionContext<'_, H::User>) -> Result<bool> {
        Ok(true)
    }
}

#[handler(permission = "Staff | Open")]
impl Rooms {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
