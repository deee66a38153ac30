//! The request of an action to close its connection.

use super::CloseCode;

/// The close frame that an action wants to be sent after its reply.
#[derive(Debug)]
pub(crate) struct CloseRequest {
    pub(crate) code: CloseCode,
    /// The reason, at most 123 bytes.
    pub(crate) reason: Box<str>,
}
