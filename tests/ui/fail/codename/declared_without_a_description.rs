// A role table shows it to people.

portcullis::permissions! {
    chat {
        read,
        write = "Writes",
    }
}

fn main() {}
