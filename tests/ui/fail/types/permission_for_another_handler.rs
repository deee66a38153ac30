// A permission that is implemented for another handler. The message names both handlers.

use portcullis::{AllowAny, Permission, PermissionContext, Result, handler};

struct Rooms;
struct Files;
struct MayRead;

impl Permission<Files> for MayRead {
    async fn has_permission(&self, _: &Files, _: &PermissionContext<'_, ()>) -> Result<bool> {
        Ok(true)
    }
}

#[handler(permission = AllowAny)]
impl Files {
    #[action(permission = MayRead)]
    async fn read(&self) {}
}

#[handler(permission = MayRead)]
impl Rooms {
    #[action]
    async fn read(&self) {}
}

fn main() {}
