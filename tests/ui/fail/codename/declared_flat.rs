// A codename stands in a group.

portcullis::permissions! {
    read = "Reads",
}

fn main() {}
