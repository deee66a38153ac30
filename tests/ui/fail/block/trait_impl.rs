// The block attribute on a trait impl. The trait is underlined.

use portcullis::consumer;

struct Chat;

#[consumer]
impl Clone for Chat {
    fn clone(&self) -> Self {
        Chat
    }
}

fn main() {}
