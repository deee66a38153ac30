//! The text of a frame.

use std::ops::Deref;

/// Shared without a copy, and what a socket takes as it is.
#[cfg(feature = "axum")]
type Shared = axum::extract::ws::Utf8Bytes;
#[cfg(not(feature = "axum"))]
type Shared = std::sync::Arc<str>;

/// The text of a frame, which may go to many. That it is UTF-8 is found out once, not for each of them.
#[derive(Debug, Clone)]
pub(crate) struct Text(pub(super) Shared);

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Text {
        Text(text.into())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Text {
        Text(text.into())
    }
}
