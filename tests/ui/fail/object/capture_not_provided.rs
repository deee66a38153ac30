// The loader reads a capture that the mount does not provide.

use portcullis::{AllowAny, Context, Load, Object, Result, consumer, handler};

struct Desk(Pages);
struct Pages;
struct Page;

impl Load<Pages> for Page {
    type Key = u32;
    const CAPTURES: &'static [&'static str] = &["book"];

    async fn load(_: &Pages, _: &Context<'_, ()>, _: &u32) -> Result<Option<Page>> {
        Ok(None)
    }
}

#[consumer]
impl Desk {
    #[route("pages/{page}/")]
    fn pages(&self) -> &Pages {
        &self.0
    }
}

#[handler]
impl Pages {
    #[action(permission = AllowAny(page))]
    async fn edit(&self, #[path] page: Object<Page>) {
        let _ = page;
    }
}

fn main() {}
