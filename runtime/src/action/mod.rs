//! Calling user code: what goes in as typed arguments, and what comes out as a reply.

mod arguments;
mod extract;
mod nested;
mod object;
mod reply;
mod stream;

pub use arguments::{Argument, Str, arguments, arguments_before, path};
pub use extract::FromContext;
pub use nested::nested;
pub use object::{Asked, Held, Load, Loading, Object, Objects};
pub use reply::{Created, IntoReply, NoContent, NoReply, returned};
pub use stream::Streamed;
