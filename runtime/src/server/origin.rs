//! The check of the `Host` and `Origin` headers, which decides which web pages may connect. Browsers send cookies with
//! the requests of every page. Without the check, a page of any site could connect in the name of its visitors.

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
    /// Whether pages of the server's own origin are allowed only if they were loaded by `https`.
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
        if !self.hosts.is_empty() && !server.as_ref().is_some_and(|server| self.is_allowed_host(server)) {
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

    fn is_allowed_host(&self, server: &Server) -> bool {
        self.hosts.iter().any(|host| host.matches(&server.host) && (host.port.is_none() || host.port == server.port))
    }

    fn is_allowed(&self, origin: &Origin, server: Option<&Server>) -> bool {
        let is_own = |server: &Server| server.has_origin(origin) && !(self.is_https_only && origin.scheme != "https");
        self.allowed.iter().any(|allowed| allowed.matches(origin)) || server.is_some_and(is_own)
    }
}

/// Returns the header of that name, or `None` if the request has no such header. Fails if it has several, or if its value is
/// not ASCII.
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
    /// Parses `app.example`, `app.example:8443` or `*.app.example`. A domain of one label, such as `*.com`, is refused,
    /// except for `*.localhost`.
    pub(super) fn parse(text: &str) -> Option<HostPattern> {
        let wildcard = text.strip_prefix("*.");
        let (host, port) = parse_authority(wildcard.unwrap_or(text))?;
        match wildcard {
            Some(_) if host != "localhost" && !is_domain_of_several_labels(&host) => None,
            Some(_) => Some(HostPattern { name: format!(".{host}"), has_wildcard: true, port }),
            None => Some(HostPattern { name: host, has_wildcard: false, port }),
        }
    }

    fn matches(&self, host: &str) -> bool {
        if self.has_wildcard { host.len() > self.name.len() && host.ends_with(&self.name) } else { host == self.name }
    }
}

/// Returns whether a domain, which a dot may follow, has several labels. False for an IPv6 address.
fn is_domain_of_several_labels(domain: &str) -> bool {
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    domain.contains('.') && !domain.starts_with('[') && domain.split('.').all(|label| !label.is_empty())
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
    /// Fails if the request names two hosts, by two `Host` headers or by a URI that contradicts the header: a proxy and this
    /// server could choose different ones.
    fn from_request(parts: &Parts) -> Result<Option<Server>, &'static str> {
        let header = single_header(&parts.headers, &header::HOST);
        if parts.headers.get_all(header::HOST).iter().count() > 1 {
            return Err("several `Host` headers");
        }
        let scheme = parts.uri.scheme_str().map(str::to_ascii_lowercase);
        let parse = |authority| {
            let (host, port) = parse_authority(authority)?;
            Some((host, port.or(scheme.as_deref().and_then(default_port))))
        };
        let (authority, header) = (parts.uri.authority().map(Authority::as_str), header.ok().flatten());
        if let (Some(authority), Some(header)) = (authority, header)
            && !header.is_empty()
            && parse(authority) != parse(header)
        {
            return Err("the `Host` header contradicts the URI");
        }
        Ok(authority.or(header).and_then(parse).map(|(host, port)| Server { scheme, host, port }))
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
mod tests;
