// `#[event]` on a type without the derive that it belongs to.

use portcullis::event;

#[event(local)]
struct Sent(u32);

fn main() {}
