//! The neutral vocabulary: a request as it came in, and the reply that is being written.

mod json;
mod reply;
mod request;
mod request_id;

pub(crate) use json::{ArgumentValue, DecodedStrings};
pub use reply::Reply;
pub(crate) use reply::Values;

pub(crate) use request::{Envelope, Field, Request, RequestLimits};
pub use request_id::RequestId;
