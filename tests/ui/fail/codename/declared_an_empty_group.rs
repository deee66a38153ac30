// A codename group without codenames.

portcullis::permissions! {
    chat {}
}

fn main() {}
