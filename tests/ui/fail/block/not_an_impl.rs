// The block attribute on a struct instead of an impl block.

use portcullis::consumer;

#[consumer]
struct Chat;

fn main() {}
