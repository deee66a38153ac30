// A `cfg` is copied to what is generated, and so must be in sight.

portcullis::permissions! {
    chat { #[cfg_attr(all(), cfg(all()))] read = "Reads" }
}

fn main() {}
