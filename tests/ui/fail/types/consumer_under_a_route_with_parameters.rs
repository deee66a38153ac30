// A generic consumer behind the route of a generic handler: reported even if neither is mounted.

use portcullis::{AllowAny, consumer, handler};

struct Office<P>(Admin<P>);
struct Admin<P>(P);

#[handler]
impl<P: Send + Sync + 'static> Office<P> {
    #[route("admin/")]
    fn admin(&self) -> &Admin<P> {
        &self.0
    }
}

#[consumer(permission = AllowAny)]
impl<P: Send + Sync + 'static> Admin<P> {
    #[action]
    async fn shut_down(&self) {}
}

fn main() {}
