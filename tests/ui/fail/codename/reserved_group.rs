// A Rust keyword as a codename group: it must be written as a raw identifier.

use portcullis::consumer;

portcullis::permissions! {
    chat { read = "Reads" }
}

struct Chat;

#[consumer]
impl Chat {
    #[action(permission = type.read)]
    fn ping(&self) {}
}

fn main() {}
