// A close code that is never sent.

use portcullis::CloseCode;

const _: CloseCode = CloseCode::new(1006);

fn main() {}
