// A codename that begins with `__`, which is reserved for generated code.

portcullis::permissions! {
    chat { __read = "Reads" }
}

fn main() {}
