// A close code that Portcullis alone sends.

use portcullis::CloseCode;

const _: CloseCode = CloseCode::new(4403);

fn main() {}
