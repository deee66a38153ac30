// A module of this name would hide the crate.

portcullis::permissions! {
    portcullis { read = "Reads" }
}

fn main() {}
