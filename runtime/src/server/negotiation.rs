//! Subprotocols: what a client offers in its request, and which one the endpoint answers with.

use std::sync::Arc;

use http::HeaderMap;
use http::header::SEC_WEBSOCKET_PROTOCOL;

/// The start of the subprotocol by which a client presents a ticket. It is never answered.
pub(super) const TICKET_PREFIX: &str = "ticket.";

/// The subprotocols of an endpoint, the most preferred one first.
#[derive(Debug, Clone, Default)]
pub(super) struct Subprotocols(Arc<[Arc<str>]>);

impl Subprotocols {
    /// Adds subprotocols behind the others.
    ///
    /// # Panics
    ///
    /// Panics if a text is not the name of a subprotocol, or if it presents a ticket.
    pub(super) fn add(&mut self, names: impl IntoIterator<Item = impl AsRef<str>>) {
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
        self.0 = self.0.iter().cloned().chain(names).collect();
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    fn negotiate(own: &[&str], offered: &[&'static str]) -> Result<Option<String>, ()> {
        let mut headers = HeaderMap::new();
        for value in offered {
            headers.append(SEC_WEBSOCKET_PROTOCOL, value.parse().unwrap());
        }
        let mut subprotocols = Subprotocols::default();
        subprotocols.add(own);
        subprotocols.negotiate(&headers).map(|name| name.map(|name| name.to_string()))
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
