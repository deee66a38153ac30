// A codename group named `portcullis`, which would hide the crate.

portcullis::permissions! {
    portcullis { read = "Reads" }
}

fn main() {}
