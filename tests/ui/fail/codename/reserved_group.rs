// A group is called by no word of Rust's own.

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
