//! The origin check, which decides what web pages may connect. Browsers send cookies with the requests of every page, so
//! that without it a page of any site could connect in the name of its visitors.

use http::request::Parts;
use http::uri::{Authority, Scheme};
use http::{HeaderMap, Uri, header};

/// The origins whose pages may connect.
#[derive(Debug, Clone, Default)]
pub(super) struct Origins {
    /// Whether pages of all origins may connect.
    pub(super) allow_any: bool,
    /// The origins that are allowed in addition to the server's own.
    pub(super) allowed: Vec<Origin>,
}

impl Origins {
    /// Returns whether a request may connect.
    ///
    /// A request without an `Origin` header does not come from a web page and is allowed. `null`, several origins and
    /// invalid ones are allowed only by `allow_any`.
    pub(super) fn is_allowed(&self, parts: &Parts) -> bool {
        let mut origins = parts.headers.get_all(header::ORIGIN).iter();
        let (Some(origin), None) = (origins.next(), origins.next()) else {
            return self.allow_any || !parts.headers.contains_key(header::ORIGIN);
        };
        if self.allow_any {
            return true;
        }
        let Ok(origin) = origin.to_str() else { return false };
        let Some(origin) = Origin::parse(origin) else { return false };
        self.allowed.contains(&origin) || Origin::from_request(parts).is_some_and(|server| server.matches(&origin))
    }
}

/// Scheme, host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    /// `None` if the request has no scheme: behind a proxy, the server does not know whether the client uses TLS.
    is_https: Option<bool>,
    host: String,
    port: Option<u16>,
}

impl Origin {
    /// Parses the text of an origin. Returns `None` if it is not an `http` or `https` origin.
    pub(super) fn parse(text: &str) -> Option<Origin> {
        let uri: Uri = text.parse().ok()?;
        let is_https = match uri.scheme_str()? {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let path = uri.path_and_query().map_or("", |path| path.as_str());
        if !matches!(path, "" | "/") {
            return None;
        }
        let authority = uri.authority()?;
        let port = authority.port_u16().unwrap_or(default_port(is_https));
        Some(Origin { is_https: Some(is_https), host: authority.host().to_ascii_lowercase(), port: Some(port) })
    }

    /// Returns the origin of this server, by the request. Returns `None` without a valid host.
    fn from_request(parts: &Parts) -> Option<Origin> {
        let is_https = parts.uri.scheme().map(|scheme| *scheme == Scheme::HTTPS);
        let authority = match parts.uri.authority() {
            Some(authority) => authority.clone(),
            None => host_header(&parts.headers)?,
        };
        let port = authority.port_u16().or(is_https.map(default_port));
        Some(Origin { is_https, host: authority.host().to_ascii_lowercase(), port })
    }

    /// Returns whether a page of `origin` has the same origin as this server. If the request has neither scheme nor port,
    /// the port of the page must be the default port of its scheme.
    fn matches(&self, origin: &Origin) -> bool {
        let is_https = self.is_https.or(origin.is_https);
        let port = self.port.or(is_https.map(default_port));
        is_https == origin.is_https && self.host == origin.host && port == origin.port
    }
}

fn default_port(is_https: bool) -> u16 {
    if is_https { 443 } else { 80 }
}

fn host_header(headers: &HeaderMap) -> Option<Authority> {
    headers.get(header::HOST)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_allowed(origins: &Origins, uri: &str, host: &str, origin: Option<&str>) -> bool {
        let mut request = http::Request::get(uri).header("host", host);
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        origins.is_allowed(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn request_of_the_same_or_no_origin_is_allowed() {
        let origins = Origins::default();
        for (host, origin, expected) in [
            ("chat.example", None, true),
            ("chat.example", Some("http://chat.example"), true),
            ("chat.example", Some("https://chat.example"), true),
            ("Chat.Example", Some("https://chat.example:443"), true),
            ("chat.example:8080", Some("http://chat.example:8080"), true),
            ("[::1]:8080", Some("http://[::1]:8080"), true),
            ("chat.example:443", Some("https://chat.example"), true),
            ("chat.example:443", Some("http://chat.example"), false),
            ("chat.example", Some("http://chat.example:8080"), false),
            ("chat.example:8080", Some("http://chat.example"), false),
            ("chat.example", Some("http://evil.example"), false),
            ("chat.example", Some("http://chat.example.evil"), false),
            ("chat.example", Some("http://chat.example@evil.example"), false),
            ("chat.example", Some("null"), false),
            ("chat.example", Some(""), false),
            ("chat.example", Some("chat.example"), false),
            ("chat.example", Some("ftp://chat.example"), false),
            ("chat.example", Some("http://chat.example/path"), false),
            ("", Some("http://chat.example"), false),
        ] {
            assert_eq!(is_allowed(&origins, "/ws", host, origin), expected, "{host} {origin:?}");
        }
    }

    #[test]
    fn request_with_a_scheme_requires_that_scheme() {
        let origins = Origins::default();
        assert!(is_allowed(&origins, "https://chat.example/ws", "", Some("https://chat.example")));
        assert!(!is_allowed(&origins, "https://chat.example/ws", "", Some("http://chat.example")));
        assert!(!is_allowed(&origins, "https://chat.example/ws", "", Some("http://chat.example:443")));
    }

    #[test]
    fn listed_origin_and_own_origin_are_allowed() {
        let listed = Origins { allowed: Origin::parse("https://app.example").into_iter().collect(), allow_any: false };
        assert!(is_allowed(&listed, "/ws", "chat.example", Some("https://app.example")));
        assert!(is_allowed(&listed, "/ws", "chat.example", Some("https://chat.example")));
        assert!(!is_allowed(&listed, "/ws", "chat.example", Some("http://app.example")));
        assert!(!is_allowed(&listed, "/ws", "chat.example", Some("null")));
        let any = Origins { allow_any: true, allowed: vec![] };
        assert!(is_allowed(&any, "/ws", "chat.example", Some("null")));
    }

    #[test]
    fn request_with_two_origins_is_rejected() {
        let request =
            http::Request::get("/").header("host", "a").header("origin", "http://a").header("origin", "http://a");
        assert!(!Origins::default().is_allowed(&request.body(()).unwrap().into_parts().0));
    }
}
