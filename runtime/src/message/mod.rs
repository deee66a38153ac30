//! Requests and replies, independent of who sends them and of what an action does with them.

mod effect;
mod json;
mod own;
mod reply;
mod request;
mod request_id;

pub(crate) use effect::{AnyGroup, SideEffect, Undo, run_after_reply, run_before_reply};
pub(crate) use json::{ArgumentValue, DecodedStrings};
pub(crate) use own::OwnEpochs;
pub use reply::Reply;
pub(crate) use reply::Values;

pub(crate) use request::{Envelope, Field, Request, RequestLimits};
pub use request_id::RequestId;
