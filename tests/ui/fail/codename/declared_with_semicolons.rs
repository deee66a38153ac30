// Commas separate.

portcullis::permissions! {
    chat {
        read = "Reads";
        write = "Writes";
    }
}

fn main() {}
