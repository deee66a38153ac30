//! A client's own name for one of its messages, and for what it has subscribed to by it.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The `request_id` of a message: any JSON value, kept and compared as the client wrote it.
///
/// An action that ends a subscription takes the one to end as a parameter: `subscription: RequestId`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestId(Box<RawValue>);

impl RequestId {
    /// Of JSON text; `None` where it is none.
    pub(crate) fn read(json: &str) -> Option<RequestId> {
        serde_json::from_str(json).ok()
    }

    /// Its JSON text.
    pub fn as_json(&self) -> &str {
        self.0.get()
    }
}

impl PartialEq for RequestId {
    fn eq(&self, other: &Self) -> bool {
        self.as_json() == other.as_json()
    }
}

impl Eq for RequestId {}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_json())
    }
}
