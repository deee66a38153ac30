// A description is a text.

portcullis::permissions! {
    chat {
        read = 5,
    }
}

fn main() {}
