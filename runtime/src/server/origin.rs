//! Which web pages may connect. Browsers send cookies along wherever a page comes from, so somebody has to ask.

use http::request::Parts;
use http::uri::{Authority, Scheme};
use http::{HeaderMap, Uri, header};

/// The origins that may connect.
#[derive(Debug, Clone, Default)]
pub(super) struct Origins {
    /// Whether all may.
    pub(super) any: bool,
    /// Those that may beside the same origin.
    pub(super) listed: Vec<Origin>,
}

impl Origins {
    /// A request without an origin comes from no web page. `null`, and whatever is no origin, is nobody's.
    pub(super) fn allow(&self, parts: &Parts) -> bool {
        let mut origins = parts.headers.get_all(header::ORIGIN).iter();
        let (Some(origin), None) = (origins.next(), origins.next()) else {
            return self.any || !parts.headers.contains_key(header::ORIGIN);
        };
        if self.any {
            return true;
        }
        let Ok(origin) = origin.to_str() else { return false };
        let Some(place) = Origin::of_origin(origin) else { return false };
        self.listed.contains(&place) || Origin::of_request(parts).is_some_and(|own| own.is_same(&place))
    }
}

/// Scheme, host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    /// `None`: the request does not say, as it came to a server that does not know whether a proxy in front of it speaks TLS.
    secure: Option<bool>,
    host: String,
    port: Option<u16>,
}

impl Origin {
    pub(super) fn of_origin(text: &str) -> Option<Origin> {
        let uri: Uri = text.parse().ok()?;
        let secure = match uri.scheme_str()? {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let path = uri.path_and_query().map_or("", |path| path.as_str());
        if !matches!(path, "" | "/") {
            return None;
        }
        let authority = uri.authority()?;
        let port = authority.port_u16().unwrap_or(default_port(secure));
        Some(Origin { secure: Some(secure), host: authority.host().to_ascii_lowercase(), port: Some(port) })
    }

    fn of_request(parts: &Parts) -> Option<Origin> {
        let secure = parts.uri.scheme().map(|scheme| *scheme == Scheme::HTTPS);
        let authority = match parts.uri.authority() {
            Some(authority) => authority.clone(),
            None => host_header(&parts.headers)?,
        };
        let port = authority.port_u16().or(secure.map(default_port));
        Some(Origin { secure, host: authority.host().to_ascii_lowercase(), port })
    }

    /// Whether a page of that origin and this server are one. Where the request tells neither scheme nor port, the port
    /// must be the default one of the page's scheme.
    fn is_same(&self, origin: &Origin) -> bool {
        let secure = self.secure.or(origin.secure);
        let port = self.port.or(secure.map(default_port));
        secure == origin.secure && self.host == origin.host && port == origin.port
    }
}

fn default_port(secure: bool) -> u16 {
    if secure { 443 } else { 80 }
}

fn host_header(headers: &HeaderMap) -> Option<Authority> {
    headers.get(header::HOST)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(origins: &Origins, uri: &str, host: &str, origin: Option<&str>) -> bool {
        let mut request = http::Request::get(uri).header("host", host);
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        origins.allow(&request.body(()).unwrap().into_parts().0)
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
            assert_eq!(allowed(&same, "/ws", host, origin), wanted, "{host} {origin:?}");
        }
    }

    #[test]
    fn a_scheme_that_the_request_tells_counts() {
        let same = Origins::default();
        assert!(allowed(&same, "https://chat.example/ws", "", Some("https://chat.example")));
        assert!(!allowed(&same, "https://chat.example/ws", "", Some("http://chat.example")));
        assert!(!allowed(&same, "https://chat.example/ws", "", Some("http://chat.example:443")));
    }

    #[test]
    fn a_list_widens_and_any_is_any() {
        let listed = Origins { listed: Origin::of_origin("https://app.example").into_iter().collect(), any: false };
        assert!(allowed(&listed, "/ws", "chat.example", Some("https://app.example")));
        assert!(allowed(&listed, "/ws", "chat.example", Some("https://chat.example")));
        assert!(!allowed(&listed, "/ws", "chat.example", Some("http://app.example")));
        assert!(!allowed(&listed, "/ws", "chat.example", Some("null")));
        let any = Origins { any: true, listed: vec![] };
        assert!(allowed(&any, "/ws", "chat.example", Some("null")));
    }

    #[test]
    fn two_origins_are_none() {
        let request =
            http::Request::get("/").header("host", "a").header("origin", "http://a").header("origin", "http://a");
        assert!(!Origins::default().allow(&request.body(()).unwrap().into_parts().0));
    }
}
