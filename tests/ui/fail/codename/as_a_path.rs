// A codename is written with a dot.

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
