// Close codes that an application must not send.

use portcullis::CloseCode;

const OURS: CloseCode = CloseCode::new(4403);
const LOST: CloseCode = CloseCode::new(1006);
const UNKNOWN: CloseCode = CloseCode::new(5000);

fn main() {
    let _ = (OURS, LOST, UNKNOWN);
}
