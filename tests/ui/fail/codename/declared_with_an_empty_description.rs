// The description of a codename is empty.

portcullis::permissions! {
    chat {
        read = "",
    }
}

fn main() {}
