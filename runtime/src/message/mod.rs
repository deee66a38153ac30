//! The neutral vocabulary: a request as it came in, and the reply that is being written.

mod argument_value;
mod effect;
mod own;
mod reply;
mod request;
mod request_id;
mod scan;
mod value;

pub(crate) use argument_value::{ArgumentValue, DecodedStrings};
pub(crate) use effect::{AnyGroup, Effect, Undo, after, before};
pub(crate) use own::OwnChanges;
pub use reply::Reply;
pub(crate) use reply::Values;

pub(crate) use request::{Bounds, Field, Head, Request};
pub use request_id::RequestId;
use value::Value;
