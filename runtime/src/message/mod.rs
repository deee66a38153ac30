//! Requests and replies, independent of who sends them and of what an action does with them.

mod json;
mod reply;
mod request;
mod request_id;

pub(crate) use json::{ArgumentValue, DecodedStrings};
pub use reply::Reply;
pub(crate) use reply::Values;
pub(crate) use request::{Echo, Envelope, Field, OwnedEcho, Request, RequestLimits};
pub use request_id::RequestId;
