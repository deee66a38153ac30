// There is nothing in the group.

portcullis::permissions! {
    chat {}
}

fn main() {}
