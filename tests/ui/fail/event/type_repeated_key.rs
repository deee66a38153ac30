// The same key twice in `#[event]` on a type.

use portcullis::Event;

#[derive(Event)]
#[event(local, local)]
struct Sent(u32);

fn main() {}
