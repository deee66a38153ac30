// Two of one name, and two groups.

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
