// A key that `#[event]` on a type does not have.

use portcullis::Event;

#[derive(Event)]
#[event(remote)]
struct Sent(u32);

fn main() {}
