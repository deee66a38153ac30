// The type inside of an argument's type cannot be deserialized.

use std::collections::HashMap;

use portcullis::{AllowAny, consumer};

struct Chat;
struct Secret;

#[consumer]
impl Chat {
    #[action(permission = AllowAny)]
    async fn store(&self, secrets: HashMap<String, Secret>) {
        let _ = secrets;
    }
}

fn main() {}
