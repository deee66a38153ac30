// A Rust keyword as a codename: it must be written as a raw identifier.

portcullis::permissions! {
    chat { fn = "Calls" }
}

fn main() {}
