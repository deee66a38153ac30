//! Calling user code: what goes in as typed arguments, and what comes out as a reply.

mod arguments;
mod extract;
mod reply;
mod stream;

pub use arguments::{Argument, Str, arguments, path};
pub use extract::FromContext;
pub use reply::{Created, IntoReply, NoContent, NoReply, returned};
pub use stream::Streamed;
