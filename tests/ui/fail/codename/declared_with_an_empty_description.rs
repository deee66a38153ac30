// The same.

portcullis::permissions! {
    chat {
        read = "",
    }
}

fn main() {}
