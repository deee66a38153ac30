//! What a reply echoes of its message: action, route and request id, as sent.
//! [`Request`](super::Request) reads it, and the dialect writes it.

/// What a reply echoes of a message: the JSON texts of the envelope's keys, as sent. `None` if the message has no such key.
#[derive(Debug, Default)]
pub(crate) struct Echo<'a> {
    /// A JSON string.
    pub(crate) action: Option<&'a str>,
    /// A JSON string: the route with its query.
    pub(crate) route: Option<&'a str>,
    /// Any JSON value.
    pub(crate) request_id: Option<&'a str>,
}

/// An [`Echo`] that outlives its message.
pub(crate) struct OwnedEcho {
    action: Option<Box<str>>,
    route: Option<Box<str>>,
    request_id: Option<Box<str>>,
}

impl Echo<'_> {
    pub(crate) fn to_owned_echo(&self) -> OwnedEcho {
        OwnedEcho {
            action: self.action.map(Box::from),
            route: self.route.map(Box::from),
            request_id: self.request_id.map(Box::from),
        }
    }
}

impl OwnedEcho {
    pub(crate) fn as_echo(&self) -> Echo<'_> {
        Echo { action: self.action.as_deref(), route: self.route.as_deref(), request_id: self.request_id.as_deref() }
    }
}
