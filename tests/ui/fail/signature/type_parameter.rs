// An action with a type parameter, which a client cannot choose.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action]
    async fn ping<T: Send>(&self, value: T) {
        let _ = value;
    }
}

fn main() {}
