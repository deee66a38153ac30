// A codename written as a path: the separator is a dot.

use portcullis::consumer;

portcullis::permissions! {
    chat { read = "Reads" }
}

struct Chat;

#[consumer]
impl Chat {
    #[action(permission = chat::read)]
    fn ping(&self) {}
}

fn main() {}
