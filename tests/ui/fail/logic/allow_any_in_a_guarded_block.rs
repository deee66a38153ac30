// `AllowAny` on an action has no effect, because the permission of the handler must hold as well.

use portcullis::{AllowAny, IsAuthenticated, handler};

struct Rooms;

#[handler(user = (), permission = IsAuthenticated)]
impl Rooms {
    #[action(permission = AllowAny)]
    async fn ping(&self) {}
}

fn main() {}
