// The permission on the type of the event instead of its method.

use portcullis::Event;

#[derive(Event)]
#[event(permission = AllowAny)]
struct Sent(u32);

fn main() {}
