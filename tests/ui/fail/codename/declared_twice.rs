// A codename declared twice in one group, and two groups with the same name.

portcullis::permissions! {
    chat {
        read = "Reads",
        read = "Reads more",
    }
    files {
        read = "Reads",
    }
    chat {
        write = "Writes",
    }
}

fn main() {}
