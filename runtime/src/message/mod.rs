//! The neutral vocabulary: a request as it came in, and the reply that is being written.

mod reply;
mod request;
mod scan;
mod value;

pub use reply::Reply;
pub(crate) use reply::Values;

pub(crate) use request::{Bounds, Field, Head, Request};
