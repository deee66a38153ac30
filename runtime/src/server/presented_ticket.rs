//! The ticket in a request, which is removed before anything else reads the request.

use http::header::SEC_WEBSOCKET_PROTOCOL;
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Uri};

use super::negotiation::{TICKET_PREFIX, offered};
use crate::tickets::Ticket;

/// The parameter of the query that presents a ticket.
const QUERY_KEY: &str = "ticket";

/// What a request presents as a ticket.
pub(super) struct PresentedTicket {
    /// `None` if it cannot be a ticket, or if the request presents several.
    pub(super) ticket: Option<Ticket>,
    /// Whether it is one of the subprotocols that the client offers.
    pub(super) is_subprotocol: bool,
}

impl PresentedTicket {
    /// Removes the tickets from a request: from its query, and from the subprotocols that it offers. Returns `None`
    /// if it presents none.
    ///
    /// # Errors
    ///
    /// Fails if the rest of the request is not a valid URI or header. Then the request must be rejected.
    pub(super) fn take(parts: &mut Parts) -> Result<Option<PresentedTicket>, http::Error> {
        let mut texts = take_from_query(&mut parts.uri)?;
        let in_query = texts.len();
        texts.extend(take_from_subprotocols(&mut parts.headers)?);
        let is_subprotocol = texts.len() > in_query;
        Ok(match &texts[..] {
            [] => None,
            [text] => Some(PresentedTicket { ticket: Ticket::parse(text), is_subprotocol }),
            _ => Some(PresentedTicket { ticket: None, is_subprotocol }),
        })
    }
}

/// Returns the value of a parameter of the query, which is written `key=value`, if it presents a ticket.
fn value_of(parameter: &str) -> Option<String> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(parameter).unwrap_or_default();
    pairs.into_iter().find_map(|(key, value)| (key == QUERY_KEY).then_some(value))
}

fn take_from_query(uri: &mut Uri) -> Result<Vec<String>, http::Error> {
    let Some(query) = uri.query() else { return Ok(Vec::new()) };
    let (mut taken, mut kept) = (Vec::new(), Vec::new());
    for parameter in query.split('&') {
        match value_of(parameter) {
            Some(value) => taken.push(value),
            None => kept.push(parameter),
        }
    }
    if !taken.is_empty() {
        let path_and_query = match &kept[..] {
            [] => uri.path().to_owned(),
            kept => format!("{}?{}", uri.path(), kept.join("&")),
        };
        let mut parts = uri.clone().into_parts();
        parts.path_and_query = Some(PathAndQuery::try_from(path_and_query)?);
        *uri = Uri::from_parts(parts)?;
    }
    Ok(taken)
}

fn take_from_subprotocols(headers: &mut HeaderMap) -> Result<Vec<String>, http::Error> {
    let (mut taken, mut kept) = (Vec::new(), Vec::new());
    for name in offered(headers) {
        match name.strip_prefix(TICKET_PREFIX.as_bytes()) {
            Some(text) => taken.push(String::from_utf8_lossy(text).into_owned()),
            None => kept.push(name),
        }
    }
    if !taken.is_empty() {
        let kept = (!kept.is_empty()).then(|| HeaderValue::from_bytes(&kept.join(&b", "[..]))).transpose()?;
        headers.remove(SEC_WEBSOCKET_PROTOCOL);
        headers.extend(kept.map(|kept| (SEC_WEBSOCKET_PROTOCOL, kept)));
    }
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICKET: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

    /// Takes the ticket of a request. Returns whether one was presented and whether it is well-formed, and the rest
    /// of the URI and of the subprotocols.
    fn take(uri: &str, subprotocols: &[&str]) -> (Option<bool>, String, Option<String>) {
        let mut request = http::Request::get(uri.replace("TICKET", TICKET));
        for names in subprotocols {
            request = request.header(SEC_WEBSOCKET_PROTOCOL, names.replace("TICKET", TICKET));
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        let presented = PresentedTicket::take(&mut parts).unwrap();
        assert!(!format!("{parts:?}").contains(TICKET));
        let is_subprotocol = presented.as_ref().is_some_and(|presented| presented.is_subprotocol);
        assert_eq!(is_subprotocol, subprotocols.iter().any(|names| names.contains("ticket.")));
        let header = parts.headers.get(SEC_WEBSOCKET_PROTOCOL).map(|value| value.to_str().unwrap().to_owned());
        let ticket = presented.map(|presented| presented.ticket.is_some_and(|ticket| ticket.as_str() == TICKET));
        (ticket, parts.uri.to_string(), header)
    }

    #[test]
    fn ticket_is_taken_from_the_query_and_the_rest_is_kept() {
        for (uri, ticket, rest) in [
            ("/ws", None, "/ws"),
            ("/ws?", None, "/ws?"),
            ("/ws?a=1&b=%20", None, "/ws?a=1&b=%20"),
            ("/ws?tickets=1&Ticket=2&a=ticket", None, "/ws?tickets=1&Ticket=2&a=ticket"),
            ("/ws?ticket=TICKET", Some(true), "/ws"),
            ("/ws?a=1&ticket=TICKET&b=%20&", Some(true), "/ws?a=1&b=%20&"),
            ("http://chat.example/ws?ticket=TICKET&c", Some(true), "http://chat.example/ws?c"),
            ("/ws?%74icket=TICKET", Some(true), "/ws"),
            ("/ws?ticket", Some(false), "/ws"),
            ("/ws?ticket=TICKET0&a=1", Some(false), "/ws?a=1"),
            ("/ws?ticket=+TICKET", Some(false), "/ws"),
            ("/ws?ticket=TICKET&ticket=TICKET", Some(false), "/ws"),
        ] {
            assert_eq!(take(uri, &[]), (ticket, rest.to_owned(), None), "{uri}");
        }
    }

    #[test]
    fn ticket_is_taken_from_the_subprotocols_and_the_rest_is_kept() {
        for (subprotocols, ticket, rest) in [
            (&["chat.v1"][..], None, Some("chat.v1")),
            (&["chat.v1, ticket.TICKET"], Some(true), Some("chat.v1")),
            (&["ticket.TICKET,chat.v2", "chat.v1"], Some(true), Some("chat.v2, chat.v1")),
            (&["ticket.TICKET"], Some(true), None),
            (&["ticket.", "a"], Some(false), Some("a")),
            (&["ticket.TICKET", "ticket.TICKET"], Some(false), None),
            (&["Ticket.a"], None, Some("Ticket.a")),
        ] {
            assert_eq!(take("/", subprotocols), (ticket, "/".to_owned(), rest.map(str::to_owned)), "{subprotocols:?}");
        }
    }

    #[test]
    fn ticket_in_query_and_subprotocols_is_refused() {
        let taken = take("/?ticket=TICKET&a", &["ticket.TICKET, b"]);
        assert_eq!(taken, (Some(false), "/?a".to_owned(), Some("b".to_owned())));
    }

    #[test]
    fn ticket_beside_bytes_that_are_no_text_is_removed() {
        let value = HeaderValue::from_bytes(format!("\u{ff}, ticket.{TICKET}, ticket.\u{ff}").as_bytes()).unwrap();
        let request = http::Request::get("/").header(SEC_WEBSOCKET_PROTOCOL, value).body(()).unwrap();
        let mut parts = request.into_parts().0;
        assert!(PresentedTicket::take(&mut parts).unwrap().is_some_and(|presented| presented.ticket.is_none()));
        assert_eq!(parts.headers[SEC_WEBSOCKET_PROTOCOL].as_bytes(), "\u{ff}".as_bytes());
    }
}
