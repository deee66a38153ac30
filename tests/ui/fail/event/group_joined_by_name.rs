// The name of a group instead of a value of its type, in a join.

use portcullis::{AllowAny, Context, Result, consumer};

struct Chat;

#[consumer]
impl Chat {
    #[action(permission = AllowAny)]
    async fn enter(&self, cx: &Context<'_, ()>) -> Result<()> {
        cx.join("room_5").await
    }
}

fn main() {}
