// A consumer behind a route would be reached without its own connect expression.

use portcullis::{AllowAny, IsAuthenticated, consumer};

struct Chat(Admin);
struct Admin;

#[consumer]
impl Chat {
    #[route("admin/")]
    fn admin(&self) -> &Admin {
        &self.0
    }
}

#[consumer(user = (), connect = IsAuthenticated)]
impl Admin {
    #[action(permission = AllowAny)]
    async fn shut_down(&self) {}
}

fn main() {}
