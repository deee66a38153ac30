//! Subprotocols: what a client offers in its request, and which one the endpoint answers with.

use std::sync::Arc;

use http::HeaderMap;
use http::header::SEC_WEBSOCKET_PROTOCOL;

use super::endpoint::Endpoint;
use crate::consumer::Consumer;

/// The start of the subprotocol by which a client presents a ticket. It is never answered.
pub(super) const TICKET_PREFIX: &str = "ticket.";

/// The subprotocols of an endpoint, the most preferred one first.
#[derive(Debug, Clone, Default)]
pub(super) struct Subprotocols(Arc<[Arc<str>]>);

impl Subprotocols {
    /// Chooses the subprotocol of a connection: the first of the endpoint's that the client offers. `None` if the
    /// endpoint has no subprotocols or the client offers none.
    ///
    /// # Errors
    ///
    /// Fails if the client offers none of the endpoint's. A browser would refuse the answer to such a handshake.
    pub(super) fn negotiate(&self, headers: &HeaderMap) -> Result<Option<Arc<str>>, ()> {
        if self.0.is_empty() || offered(headers).next().is_none() {
            return Ok(None);
        }
        let is_offered = |name: &&Arc<str>| offered(headers).any(|offered| offered == name.as_bytes());
        self.0.iter().find(is_offered).cloned().map(Some).ok_or(())
    }
}

/// Returns the subprotocols that a client offers, in its order. They may be spread over several headers.
pub(super) fn offered(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    let values = headers.get_all(SEC_WEBSOCKET_PROTOCOL).into_iter();
    let names = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    names.map(<[u8]>::trim_ascii).filter(|name| !name.is_empty())
}

/// Returns whether a text is a token of RFC 2616, as RFC 6455 requires of a subprotocol.
fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic() && !br#"()<>@,;:\"/[]?={}"#.contains(&byte))
}

impl<C: Consumer> Endpoint<C> {
    /// Sets the subprotocols of the endpoint, the most preferred one first. Default: none. May be called repeatedly,
    /// which adds to them.
    ///
    /// A client offers subprotocols in the header `Sec-WebSocket-Protocol`, a page as the second argument of
    /// `WebSocket`. The response names the first subprotocol of the endpoint that the client offers, and
    /// [`Scope::subprotocol`](crate::Scope::subprotocol) returns it. Upper and lower case differ. Portcullis speaks
    /// the same [protocol](crate::guide::wire_protocol) under every name.
    ///
    /// | the client offers | with this setting | without it |
    /// |---|---|---|
    /// | none | accepted without a subprotocol | accepted without a subprotocol |
    /// | one of the endpoint's | accepted with it | accepted, but browsers treat it as a failure |
    /// | only others | rejected with 400 | accepted, but browsers treat it as a failure |
    ///
    /// A browser fails a connection whose response names none of the subprotocols that the page has offered. So a
    /// client that offers only unknown ones is rejected before it is authenticated, and not accepted for nothing.
    ///
    /// ```standalone_crate
    /// use portcullis::{AllowAny, Context, consumer, websocket};
    ///
    /// struct Chat;
    ///
    /// #[consumer]
    /// impl Chat {
    ///     /// Returns the version of the protocol that the client speaks.
    ///     #[action(permission = AllowAny)]
    ///     async fn version(&self, cx: &Context<'_, ()>) -> Option<String> {
    ///         cx.scope().subprotocol().map(str::to_owned)
    ///     }
    /// }
    ///
    /// let endpoint = websocket(Chat).subprotocols(["chat.v2", "chat.v1"]);
    /// # #[cfg(feature = "testing")]
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # use portcullis::testing::connect;
    /// # let client = connect(&endpoint).header("sec-websocket-protocol", "chat.v1, chat.v2").open();
    /// # assert_eq!(client.await.unwrap().call("version").await.data(), "chat.v2");
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if a text is not the name of a subprotocol, which consists of visible ASCII characters without spaces and
    /// without any of `()<>@,;:\"/[]?={}`, or if it begins with `ticket.`, because that presents a
    /// [ticket](Endpoint::tickets).
    #[must_use]
    pub fn subprotocols(mut self, names: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let names = names.into_iter().map(|name| {
            let name = name.as_ref();
            assert!(is_token(name), "`{name}` is not the name of a subprotocol; write `chat.v1`");
            assert!(
                !name.starts_with(TICKET_PREFIX),
                "the subprotocol `{name}` presents a ticket, so it cannot be negotiated; write a name that does not \
                 begin with `{TICKET_PREFIX}`"
            );
            Arc::from(name)
        });
        self.subprotocols = Subprotocols(self.subprotocols.0.iter().cloned().chain(names).collect());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn negotiate(own: &[&str], offered: &[&'static str]) -> Result<Option<String>, ()> {
        let mut headers = HeaderMap::new();
        for value in offered {
            headers.append(SEC_WEBSOCKET_PROTOCOL, value.parse().unwrap());
        }
        let own = Subprotocols(own.iter().map(|name| Arc::from(*name)).collect());
        own.negotiate(&headers).map(|name| name.map(|name| name.to_string()))
    }

    #[test]
    fn server_prefers_its_own_order_and_compares_by_case() {
        let chosen = |name: &str| Ok(Some(name.to_owned()));
        for (own, offered, expected) in [
            (&["v2", "v1"][..], &["v1, v2"][..], chosen("v2")),
            (&["v2", "v1"], &["v1"], chosen("v1")),
            (&["v2", "v1"], &["other,\tv1 ,", "v2"], chosen("v2")),
            (&["v1"], &[], Ok(None)),
            (&["v1"], &["", " , "], Ok(None)),
            (&["v1"], &["V1"], Err(())),
            (&["v1"], &["v1.1", "v", "v1 v1"], Err(())),
            (&[], &["v1"], Ok(None)),
        ] {
            assert_eq!(negotiate(own, offered), expected, "{own:?} {offered:?}");
        }
    }

    #[test]
    fn token_is_visible_ascii_without_separators() {
        for name in ["v1", "portcullis.v1", "a!#$%&'*+-.^_`|~9"] {
            assert!(is_token(name), "{name}");
        }
        for name in ["", "a b", "a,b", "a/b", "caf\u{e9}", "a\n", "a=b", "\"a\"", "a\\b", "a:b", "{a}", "\u{7f}"] {
            assert!(!is_token(name), "{name:?}");
        }
    }
}
