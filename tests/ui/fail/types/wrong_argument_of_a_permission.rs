// A permission constructed with an argument of the wrong type.

use portcullis::{Handler, Permission, PermissionContext, Result, handler};

struct Rooms;
struct HasRole(&'static str);

impl<H: Handler> Permission<H> for HasRole {
    async fn has_permission(&self, _: &H, _: &PermissionContext<'_, H::User>) -> Result<bool> {
        Ok(self.0.is_empty())
    }
}

#[handler(permission = HasRole(5))]
impl Rooms {
    #[action]
    async fn read(&self) {}
}

fn main() {}
