// A codename declared outside of a group.

portcullis::permissions! {
    read = "Reads",
}

fn main() {}
