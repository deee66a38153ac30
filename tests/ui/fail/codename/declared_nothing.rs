// `permissions!` without codenames.

portcullis::permissions! {}

fn main() {}
