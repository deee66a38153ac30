// `AllowAny` under another name on an action whose block has a permission.

use portcullis::{AllowAny as Open, IsAuthenticated, consumer};

struct Chat;

#[consumer(user = (), permission = IsAuthenticated)]
impl Chat {
    #[action(permission = Open)]
    async fn ping(&self) {}
}

fn main() {}
