//! The id that a client gives to a message, and to the subscription that the message starts.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The `request_id` of a message, which also identifies the subscription that the message starts.
///
/// It may be any JSON value. It is kept, compared and sent back as the client wrote it, so `1` and `1.0` are different
/// ids. Its maximum length is [`Limits::max_request_id_bytes`](crate::Limits::max_request_id_bytes).
///
/// An action that ends a subscription takes the id of that subscription as a parameter:
///
/// ```
/// use portcullis::{AllowAny, Context, Event, Group, RequestId, Result, consumer};
///
/// #[derive(Clone, PartialEq, Eq, Hash, Group)]
/// #[group(consumer = Chat, permission = AllowAny, publish = members, events(Posted))]
/// struct Room(u32);
///
/// #[derive(Event)]
/// struct Posted(u32);
///
/// struct Chat;
///
/// #[consumer]
/// impl Chat {
///     #[action(permission = AllowAny)]
///     async fn watch(&self, cx: &Context<'_, ()>, room: u32) -> Result<()> { cx.subscribe(Room(room)).await }
///
///     #[action(permission = AllowAny)]
///     async fn unwatch(&self, cx: &Context<'_, ()>, room: u32, subscription: RequestId) -> Result<()> {
///         cx.unsubscribe(Room(room), subscription)
///     }
///
///     #[event(permission = AllowAny)]
///     fn posted(&self, event: &Posted) -> u32 { event.0 }
/// }
/// ```
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestId(Box<RawValue>);

impl RequestId {
    /// Reads an id from JSON text. Returns `None` if the text is not JSON.
    pub(crate) fn read(json: &str) -> Option<RequestId> {
        serde_json::from_str(json).ok()
    }

    /// Returns the id as JSON text, as the client wrote it.
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
