// There is nothing in it.

portcullis::permissions! {}

fn main() {}
