// A close code that is reserved.

use portcullis::CloseCode;

const _: CloseCode = CloseCode::new(5000);

fn main() {}
