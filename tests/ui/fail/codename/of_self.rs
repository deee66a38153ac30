// `Self` as a codename group.

use portcullis::consumer;

portcullis::permissions! {
    chat { read = "Reads" }
}

struct Chat;

#[consumer]
impl Chat {
    #[action(permission = Self.read)]
    fn ping(&self) {}
}

fn main() {}
