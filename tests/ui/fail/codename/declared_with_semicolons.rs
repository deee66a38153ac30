// Codenames separated by semicolons instead of commas.

portcullis::permissions! {
    chat {
        read = "Reads";
        write = "Writes";
    }
}

fn main() {}
