// A codename without a description.

portcullis::permissions! {
    chat {
        read,
        write = "Writes",
    }
}

fn main() {}
