// A word of Rust's own is written raw.

portcullis::permissions! {
    chat { fn = "Calls" }
}

fn main() {}
