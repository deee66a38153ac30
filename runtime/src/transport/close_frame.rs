//! Close frames.

use std::borrow::Cow;

/// The content of a close frame.
#[derive(Debug)]
pub(crate) struct CloseFrame {
    pub(crate) code: u16,
    /// The reason, at most 123 bytes.
    pub(crate) text: Cow<'static, str>,
}
