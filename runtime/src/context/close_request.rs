//! The request of an action to close its connection.

use super::CloseCode;

/// What an action wants its connection to be closed with, after its reply.
#[derive(Debug)]
pub(crate) struct CloseRequest {
    pub(crate) code: CloseCode,
    /// The reason, at most 123 bytes.
    pub(crate) reason: Box<str>,
}
