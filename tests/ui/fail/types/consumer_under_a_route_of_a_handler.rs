// A consumer behind the route of a handler: reported at that route.

use portcullis::{AllowAny, consumer, handler};

struct Chat(Office);
struct Office(Box<Admin>);
struct Admin;

#[consumer]
impl Chat {
    #[route("office/")]
    fn office(&self) -> &Office {
        &self.0
    }
}

#[handler]
impl Office {
    #[route("admin/")]
    fn admin(&self) -> &Admin {
        &self.0
    }
}

#[consumer(permission = AllowAny)]
impl Admin {
    #[action]
    async fn shut_down(&self) {}

    #[connect]
    async fn connected(&self) {}
}

fn main() {}
