// The attribute on an impl of a trait. The trait is underlined.

use portcullis::consumer;

struct Chat;

#[consumer]
impl Clone for Chat {
    fn clone(&self) -> Self {
        Chat
    }
}

fn main() {}
