// An event that is a union.

use portcullis::Event;

#[derive(Event)]
union Sent {
    number: u32,
    text: [u8; 4],
}

fn main() {}
