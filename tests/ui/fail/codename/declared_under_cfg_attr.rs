// `cfg` inside of `cfg_attr`: the macro copies only a direct `#[cfg(..)]` to the generated items.

portcullis::permissions! {
    chat { #[cfg_attr(all(), cfg(all()))] read = "Reads" }
}

fn main() {}
