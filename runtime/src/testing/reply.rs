//! What comes back to a test.

use std::fmt;

use http::StatusCode;
use serde_json::Value;

/// The door turned the request away with this status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rejected(StatusCode);

impl Rejected {
    pub(super) fn new(status: StatusCode) -> Rejected {
        Rejected(status)
    }

    /// The status of the HTTP response.
    pub fn status(self) -> u16 {
        self.0.as_u16()
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the connection was refused with {}", self.0)
    }
}

impl std::error::Error for Rejected {}

/// A reply in the native dialect.
#[derive(Clone, PartialEq)]
pub struct Reply {
    text: String,
    value: Value,
}

impl Reply {
    pub(super) fn new(text: String) -> Reply {
        let value =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("a frame that is no JSON ({error}): {text}"));
        Reply { text, value }
    }

    /// The frame's text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The whole reply.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The status; 0 where the frame has none.
    pub fn status(&self) -> u16 {
        self.value["status"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or_default()
    }

    /// The data; `null` in an error.
    pub fn data(&self) -> &Value {
        &self.value["data"]
    }

    /// The code of the first error; empty in a success.
    pub fn code(&self) -> &str {
        self.value["errors"][0]["code"].as_str().unwrap_or_default()
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
