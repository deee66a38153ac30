//! The check of the `Host` and `Origin` headers, which decides what web pages may connect. Browsers send cookies with the
//! requests of every page, so that without it a page of any site could connect in the name of its visitors.

use std::net::Ipv6Addr;

use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, HeaderName, header};

/// The origins whose pages may connect, and the hosts by which the server may be addressed.
#[derive(Debug, Clone, Default)]
pub(super) struct Origins {
    /// Whether pages of all origins may connect.
    pub(super) allow_any: bool,
    /// The origins that are allowed in addition to the server's own.
    pub(super) allowed: Vec<OriginPattern>,
    /// The hosts of the server. Empty if any is allowed.
    pub(super) hosts: Vec<HostPattern>,
    /// Whether the server's own origin has the scheme `https`.
    pub(super) is_https_only: bool,
}

impl Origins {
    /// Checks the headers of a request. A request without an `Origin` header does not come from a web page. `null`, several
    /// origins and malformed ones are allowed only by `allow_any`.
    ///
    /// # Errors
    ///
    /// Returns what is not allowed, for the log.
    pub(super) fn check(&self, parts: &Parts) -> Result<(), &'static str> {
        let server = Server::from_request(parts)?;
        if !self.hosts.is_empty() && !server.as_ref().is_some_and(|server| self.is_host(server)) {
            return Err("host not allowed");
        }
        match single_header(&parts.headers, &header::ORIGIN) {
            _ if self.allow_any => Ok(()),
            Ok(None) => Ok(()),
            Ok(Some(origin)) => match Origin::parse(origin) {
                Some(origin) if self.is_allowed(&origin, server.as_ref()) => Ok(()),
                _ => Err("origin not allowed"),
            },
            Err(()) => Err("origin not allowed"),
        }
    }

    fn is_host(&self, server: &Server) -> bool {
        self.hosts.iter().any(|host| host.matches(&server.host) && (host.port.is_none() || host.port == server.port))
    }

    fn is_allowed(&self, origin: &Origin, server: Option<&Server>) -> bool {
        let is_own = |server: &Server| server.has_origin(origin) && !(self.is_https_only && origin.scheme != "https");
        self.allowed.iter().any(|allowed| allowed.matches(origin)) || server.is_some_and(is_own)
    }
}

/// Returns the only header of that name, or `None` if there is none. Fails if there are several, or if it is not ASCII.
fn single_header<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, ()> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().map(Some).map_err(drop),
        (Some(_), Some(_)) => Err(()),
        (None, _) => Ok(None),
    }
}

/// The origin of a web page: scheme, host and port.
#[derive(Debug, PartialEq, Eq)]
struct Origin {
    /// In lower case.
    scheme: String,
    host: String,
    /// That of the scheme if the text has none. `None` for a scheme other than `http` and `https`.
    port: Option<u16>,
}

impl Origin {
    /// Parses an origin as a browser sends it. Returns `None` if it is malformed, or has a user, a path or a fragment.
    fn parse(text: &str) -> Option<Origin> {
        let (scheme, authority) = text.split_once("://")?;
        let is_scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
        if !scheme.starts_with(|c: char| c.is_ascii_alphabetic()) || !scheme.chars().all(is_scheme) {
            return None;
        }
        let (scheme, (host, port)) = (scheme.to_ascii_lowercase(), parse_authority(authority)?);
        let port = port.or(default_port(&scheme));
        Some(Origin { scheme, host, port })
    }
}

/// An allowed origin, or all origins below a domain.
#[derive(Debug, Clone)]
pub(super) struct OriginPattern {
    scheme: String,
    host: HostPattern,
}

impl OriginPattern {
    /// Parses `https://app.example` or `https://*.app.example`. A trailing slash is ignored.
    pub(super) fn parse(text: &str) -> Option<OriginPattern> {
        let text = text.strip_suffix('/').unwrap_or(text);
        let (scheme, host) = text.split_once("://")?;
        // Its host is replaced, so that the scheme is checked by one function.
        let scheme = Origin::parse(&format!("{scheme}://host"))?.scheme;
        let mut host = HostPattern::parse(host)?;
        host.port = host.port.or(default_port(&scheme));
        Some(OriginPattern { scheme, host })
    }

    fn matches(&self, origin: &Origin) -> bool {
        self.scheme == origin.scheme && self.host.matches(&origin.host) && self.host.port == origin.port
    }
}

/// A host, or all hosts below a domain, with an optional port.
#[derive(Debug, Clone)]
pub(super) struct HostPattern {
    /// The host, or the domain with a dot in front of it.
    name: String,
    has_wildcard: bool,
    port: Option<u16>,
}

impl HostPattern {
    /// Parses `app.example`, `app.example:8443` or `*.app.example`. A domain of one label, such as `*.com`, is refused, except
    /// for `*.localhost`.
    pub(super) fn parse(text: &str) -> Option<HostPattern> {
        let wildcard = text.strip_prefix("*.");
        let (host, port) = parse_authority(wildcard.unwrap_or(text))?;
        match wildcard {
            Some(_) if host != "localhost" && (!host.contains('.') || host.starts_with('[')) => None,
            Some(_) => Some(HostPattern { name: format!(".{host}"), has_wildcard: true, port }),
            None => Some(HostPattern { name: host, has_wildcard: false, port }),
        }
    }

    fn matches(&self, host: &str) -> bool {
        if self.has_wildcard { host.len() > self.name.len() && host.ends_with(&self.name) } else { host == self.name }
    }
}

/// How a request addresses this server.
struct Server {
    /// `None` if the request has no scheme: behind a proxy, the server does not know whether the client uses TLS.
    scheme: Option<String>,
    host: String,
    port: Option<u16>,
}

impl Server {
    /// Returns how a request addresses this server, or `None` if it names no valid host.
    ///
    /// # Errors
    ///
    /// Fails if it names two hosts, of which a proxy and this server could choose different ones.
    fn from_request(parts: &Parts) -> Result<Option<Server>, &'static str> {
        let header = single_header(&parts.headers, &header::HOST);
        if parts.headers.get_all(header::HOST).iter().count() > 1 {
            return Err("several `Host` headers");
        }
        let authority = parts.uri.authority().map(Authority::as_str).or(header.ok().flatten());
        let scheme = parts.uri.scheme_str().map(str::to_ascii_lowercase);
        Ok(authority.and_then(parse_authority).map(|(host, port)| {
            let port = port.or(scheme.as_deref().and_then(default_port));
            Server { scheme, host, port }
        }))
    }

    /// Returns whether a page of `origin` has the same origin as this server. If the request has neither scheme nor port,
    /// the port of the page must be the default port of its scheme.
    fn has_origin(&self, origin: &Origin) -> bool {
        let scheme = self.scheme.as_ref().unwrap_or(&origin.scheme);
        *scheme == origin.scheme
            && matches!(&*origin.scheme, "http" | "https")
            && self.host == origin.host
            && self.port.or(default_port(scheme)) == origin.port
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

/// Splits a host, in lower case, from its port. Returns `None` if it is malformed, has a user, or is followed by a path, a
/// query or a fragment.
fn parse_authority(text: &str) -> Option<(String, Option<u16>)> {
    let (host, port) = match text.strip_prefix('[').and_then(|text| text.split_once(']')) {
        Some((address, port)) => {
            address.parse::<Ipv6Addr>().ok()?;
            (&text[..address.len() + 2], port)
        }
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    if host.is_empty() || !host.starts_with('[') && !host.chars().all(is_name) {
        return None;
    }
    let port = match port.strip_prefix(':') {
        None if port.is_empty() => None,
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => Some(digits.parse().ok()?),
        _ => return None,
    };
    Some((host.to_ascii_lowercase(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_allowed(origins: &Origins, uri: &str, host: &str, origin: Option<&str>) -> bool {
        let mut request = http::Request::get(uri).header("host", host);
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        origins.check(&request.body(()).unwrap().into_parts().0).is_ok()
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
            ("chat.example", Some("http://eve@chat.example"), false),
            ("chat.example", Some("http://chat.example#top"), false),
            ("chat.example", Some("http://chat.example?q"), false),
            ("chat.example", Some("http://chat.example:99999"), false),
            ("chat.example", Some("http://chat.example:"), false),
            ("chat.example", Some("http://chat.example:+80"), false),
            ("chat.example:99999", Some("http://chat.example:99999"), false),
            ("chat.example:99999", Some("http://chat.example"), false),
            ("eve@chat.example", Some("http://chat.example"), false),
            ("[::1", Some("http://[::1"), false),
            ("[nonsense]", Some("http://[nonsense]"), false),
            ("localhost", Some("tauri://localhost"), false),
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
        let listed = allowing(&["https://app.example"]);
        assert!(is_allowed(&listed, "/ws", "chat.example", Some("https://app.example")));
        assert!(is_allowed(&listed, "/ws", "chat.example", Some("https://chat.example")));
        assert!(!is_allowed(&listed, "/ws", "chat.example", Some("http://app.example")));
        assert!(!is_allowed(&listed, "/ws", "chat.example", Some("null")));
        let any = Origins { allow_any: true, ..Origins::default() };
        assert!(is_allowed(&any, "/ws", "chat.example", Some("null")));
    }

    #[test]
    fn request_with_two_origins_is_rejected() {
        let request =
            http::Request::get("/").header("host", "a").header("origin", "http://a").header("origin", "http://a");
        assert!(Origins::default().check(&request.body(()).unwrap().into_parts().0).is_err());
    }

    fn allowing(origins: &[&str]) -> Origins {
        Origins {
            allowed: origins.iter().map(|origin| OriginPattern::parse(origin).unwrap()).collect(),
            ..Origins::default()
        }
    }

    #[test]
    fn wildcard_allows_every_depth_and_not_the_domain_itself() {
        let origins = allowing(&["https://*.app.example", "http://*.localhost:3000"]);
        for (origin, expected) in [
            ("https://a.app.example", true),
            ("https://A.APP.example", true),
            ("https://a.b.app.example:443", true),
            ("https://app.example", false),
            ("https://.app.example", false),
            ("https://evilapp.example", false),
            ("https://a.app.example.evil", false),
            ("http://a.app.example", false),
            ("https://a.app.example:444", false),
            ("http://a.localhost:3000", true),
            ("http://a.localhost", false),
        ] {
            assert_eq!(is_allowed(&origins, "/ws", "chat.example", Some(origin)), expected, "{origin}");
        }
    }

    #[test]
    fn origin_of_an_application_or_extension_is_allowed_if_listed() {
        let origins = allowing(&["tauri://localhost", "chrome-extension://abcdefgh"]);
        for (origin, expected) in [
            ("tauri://localhost", true),
            ("chrome-extension://abcdefgh", true),
            ("chrome-extension://abcdefgi", false),
            ("http://localhost", false),
            ("tauri://localhost:80", false),
        ] {
            assert_eq!(is_allowed(&origins, "/ws", "chat.example", Some(origin)), expected, "{origin}");
        }
    }

    #[test]
    fn malformed_pattern_is_refused() {
        for text in [
            "",
            "app.example",
            "https://",
            "https://*",
            "https://*.",
            "https://*.com",
            "https://a.*.example",
            "https://*.*.example",
            "https://app.example/chat",
            "https://eve@app.example",
            "https://app.example#a",
            "https://app.example:99999",
            "://app.example",
            "1x://app.example",
            "https://*.[::1]",
            "null",
            "*",
        ] {
            assert!(OriginPattern::parse(text).is_none(), "{text}");
        }
        for text in ["", "*", "https://app.example", "app.example/", "*.com", "app.example:x", "a b"] {
            assert!(HostPattern::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn host_that_is_not_listed_is_rejected_with_and_without_an_origin() {
        let hosts = ["chat.example", "*.chat.example:8443"].map(|host| HostPattern::parse(host).unwrap());
        let origins = Origins { hosts: hosts.into(), ..Origins::default() };
        for (host, expected) in [
            ("chat.example", true),
            ("CHAT.example:8080", true),
            ("eu.chat.example:8443", true),
            ("eu.chat.example", false),
            ("evil.example", false),
            ("127.0.0.1:3000", false),
            ("", false),
        ] {
            assert_eq!(is_allowed(&origins, "/ws", host, None), expected, "{host}");
            let own = format!("http://{host}");
            assert_eq!(is_allowed(&origins, "/ws", host, Some(&own)), expected, "{host}");
        }
        assert!(!is_allowed(&origins, "/ws", "chat.example", Some("http://evil.example")));
        let any_origin = Origins { allow_any: true, ..origins };
        assert!(is_allowed(&any_origin, "/ws", "chat.example", Some("http://evil.example")));
        assert!(!is_allowed(&any_origin, "/ws", "evil.example", Some("http://evil.example")));
    }

    #[test]
    fn https_only_rejects_an_own_origin_without_tls() {
        let origins = Origins { is_https_only: true, ..allowing(&["http://localhost:3000"]) };
        assert!(is_allowed(&origins, "/ws", "chat.example", Some("https://chat.example")));
        assert!(!is_allowed(&origins, "/ws", "chat.example", Some("http://chat.example")));
        assert!(is_allowed(&origins, "/ws", "chat.example", Some("http://localhost:3000")), "it is listed");
        assert!(is_allowed(&origins, "/ws", "chat.example", None));
    }

    #[test]
    fn request_with_two_hosts_is_rejected() {
        for origins in [Origins::default(), Origins { allow_any: true, ..Origins::default() }] {
            let request = http::Request::get("/").header("host", "a").header("host", "a");
            assert!(origins.check(&request.body(()).unwrap().into_parts().0).is_err());
        }
    }
}
