//! Which web pages may connect. Browsers send cookies along wherever a page comes from, so somebody has to ask.

use http::request::Parts;
use http::uri::{Authority, Scheme};
use http::{HeaderMap, Uri, header};

/// The origins that may connect.
#[derive(Debug, Clone, Default)]
pub(super) struct Origins {
    /// Whether all may.
    pub(super) allow_any: bool,
    /// Those that may beside the same origin.
    pub(super) allowed: Vec<Origin>,
}

impl Origins {
    /// A request without an origin comes from no web page. `null`, and whatever is no origin, is nobody's.
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
    /// `None`: the request does not say, as it came to a server that does not know whether a proxy in front of it speaks TLS.
    is_https: Option<bool>,
    host: String,
    port: Option<u16>,
}

impl Origin {
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

    fn from_request(parts: &Parts) -> Option<Origin> {
        let is_https = parts.uri.scheme().map(|scheme| *scheme == Scheme::HTTPS);
        let authority = match parts.uri.authority() {
            Some(authority) => authority.clone(),
            None => host_header(&parts.headers)?,
        };
        let port = authority.port_u16().or(is_https.map(default_port));
        Some(Origin { is_https, host: authority.host().to_ascii_lowercase(), port })
    }

    /// Whether a page of that origin and this server are one. Where the request tells neither scheme nor port, the port
    /// must be the default one of the page's scheme.
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
    fn the_same_origin_and_none_pass() {
        let same = Origins::default();
        for (host, origin, wanted) in [
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
            assert_eq!(is_allowed(&same, "/ws", host, origin), wanted, "{host} {origin:?}");
        }
    }

    #[test]
    fn a_scheme_that_the_request_tells_counts() {
        let same = Origins::default();
        assert!(is_allowed(&same, "https://chat.example/ws", "", Some("https://chat.example")));
        assert!(!is_allowed(&same, "https://chat.example/ws", "", Some("http://chat.example")));
        assert!(!is_allowed(&same, "https://chat.example/ws", "", Some("http://chat.example:443")));
    }

    #[test]
    fn a_list_widens_and_any_is_any() {
        let listed = Origins { allowed: Origin::parse("https://app.example").into_iter().collect(), allow_any: false };
        assert!(is_allowed(&listed, "/ws", "chat.example", Some("https://app.example")));
        assert!(is_allowed(&listed, "/ws", "chat.example", Some("https://chat.example")));
        assert!(!is_allowed(&listed, "/ws", "chat.example", Some("http://app.example")));
        assert!(!is_allowed(&listed, "/ws", "chat.example", Some("null")));
        let any = Origins { allow_any: true, allowed: vec![] };
        assert!(is_allowed(&any, "/ws", "chat.example", Some("null")));
    }

    #[test]
    fn two_origins_are_none() {
        let request =
            http::Request::get("/").header("host", "a").header("origin", "http://a").header("origin", "http://a");
        assert!(!Origins::default().is_allowed(&request.body(()).unwrap().into_parts().0));
    }
}
