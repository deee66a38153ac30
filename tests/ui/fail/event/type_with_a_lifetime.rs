// An event that borrows, by a lifetime parameter.

use portcullis::Event;

#[derive(Event)]
struct Sent<'a> {
    text: &'a str,
}

fn main() {}
