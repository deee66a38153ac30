//! Requests and replies, independent of who sends them and of what an action does with them.

mod echo;
mod json;
mod reply;
mod request;
mod request_id;

pub(crate) use echo::{Echo, OwnedEcho};
pub(crate) use json::{ArgumentValue, DecodedStrings};
pub use reply::Reply;
pub(crate) use reply::{ReplyStream, StreamObservation, Values};
pub(crate) use request::{Envelope, Field, Request, RequestLimits};
pub use request_id::RequestId;
