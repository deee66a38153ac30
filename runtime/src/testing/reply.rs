//! The replies and rejections that a test receives.

use std::any::type_name;
use std::fmt;

use http::StatusCode;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The error of [`ConnectBuilder::open`](super::ConnectBuilder::open): the handshake was rejected with this status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rejected(StatusCode);

impl Rejected {
    pub(super) fn new(status: StatusCode) -> Rejected {
        Rejected(status)
    }

    /// Returns the status of the HTTP response.
    pub fn status(self) -> u16 {
        self.0.as_u16()
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the handshake was rejected with {}", self.0)
    }
}

impl std::error::Error for Rejected {}

/// A message from the server in the native dialect: a reply, or an event.
///
/// ```standalone_crate
/// use portcullis::testing::connect;
/// use portcullis::{AllowAny, Created, DenyAll, consumer};
///
/// struct Notes;
///
/// #[consumer]
/// impl Notes {
///     #[action(permission = AllowAny)]
///     async fn add(&self, text: String) -> Created<usize> { Created(text.len()) }
///
///     #[action(permission = DenyAll)]
///     async fn clear(&self) {}
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let mut client = connect(&portcullis::websocket(Notes)).open().await.unwrap();
/// let reply = client.call("add").with("text", "Milk").await;
/// assert_eq!((reply.status(), reply.data().as_u64()), (201, Some(4)));
///
/// let denied = client.call("clear").await;
/// assert_eq!((denied.status(), denied.code()), (403, "permission_denied"));
/// assert_eq!(denied.value()["errors"][0]["detail"], "Permission denied.");
/// # }
/// ```
#[derive(Clone, PartialEq)]
pub struct Reply {
    text: String,
    value: Value,
}

impl Reply {
    pub(super) fn new(text: String) -> Reply {
        let value = serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("the server sent a frame that is not JSON ({error}): {text}"));
        Reply { text, value }
    }

    /// Returns the text of the frame.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the whole message as JSON.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// Returns the status, or 0 if the message has none, as events.
    pub fn status(&self) -> u16 {
        self.value["status"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or_default()
    }

    /// Returns the data of a reply or an event: `null` if the reply is an error.
    pub fn data(&self) -> &Value {
        &self.value["data"]
    }

    /// Returns the data of a reply or an event, deserialized as `T`: `client.call("add").await.data_as::<u32>()`.
    ///
    /// # Panics
    ///
    /// Panics if the data cannot be deserialized as `T`, for example because the reply is an error. The panic quotes the
    /// message.
    #[track_caller]
    pub fn data_as<T: DeserializeOwned>(&self) -> T {
        let data = T::deserialize(self.data());
        data.unwrap_or_else(|error| panic!("the data is not a `{}` ({error}): {}", type_name::<T>(), self.text))
    }

    /// Returns the name of the event, or `None` if the message is a reply.
    pub fn event_name(&self) -> Option<&str> {
        self.value["event"].as_str()
    }

    /// Returns whether no reply to the same message follows: `false` for a value of a [`Streamed`](crate::Streamed).
    pub fn is_last(&self) -> bool {
        self.value["last"] != false
    }

    /// Returns the code of the first error, or an empty text if there is no error.
    pub fn code(&self) -> &str {
        self.value["errors"][0]["code"].as_str().unwrap_or_default()
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
