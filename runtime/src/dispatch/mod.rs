//! Dispatch of a frame: matches the whole route, traverses the handler tree up to the action, and writes the reply.

mod action_count;
mod admission;
mod authenticate;
mod authenticate_limiter;
mod blocking;
mod cancel;
mod connection_refusal;
mod dispatcher;
mod outcome;
mod reauthorization;
mod refusal;
pub(crate) mod refusal_log;
mod reply_stream;
mod report;
mod route_match;

pub(crate) use admission::{Admission, SlotKind, SlotNeed};
pub(crate) use dispatcher::{CANCEL, Dispatcher};
pub(crate) use outcome::Outcome;
pub(crate) use reauthorization::AuthorizedAt;
pub(crate) use reply_stream::StreamStep;
pub(crate) use report::{panic_error, report};
