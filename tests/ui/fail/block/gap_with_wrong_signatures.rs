// `#[gap]` takes the context of a gap, and returns nothing. A block has one.

use portcullis::{AllowAny, Context, Gap, consumer};

struct Chat;

#[consumer(permission = AllowAny)]
impl Chat {
    #[gap]
    async fn with_a_context(&self, _cx: &Context<'_, ()>) {}

    #[gap]
    async fn twice(&self, _cx: &Gap<'_, Self>) -> portcullis::Result<()> {
        Ok(())
    }

    #[action]
    async fn ping(&self) {}
}

fn main() {}
