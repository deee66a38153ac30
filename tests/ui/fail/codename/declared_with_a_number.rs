// The description of a codename must be a string literal.

portcullis::permissions! {
    chat {
        read = 5,
    }
}

fn main() {}
