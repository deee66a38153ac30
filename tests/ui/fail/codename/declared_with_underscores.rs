// Names that begin with `__` are for generated code.

portcullis::permissions! {
    chat { __read = "Reads" }
}

fn main() {}
