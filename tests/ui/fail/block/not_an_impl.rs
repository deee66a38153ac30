// The attribute on a struct. The message says where it goes.

use portcullis::consumer;

#[consumer]
struct Chat;

fn main() {}
