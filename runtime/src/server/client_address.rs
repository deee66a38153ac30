//! The address of a client, also behind proxies.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;

use http::{HeaderMap, HeaderName};

/// Proxies in front of the service, each of which appends the address of its client to a header.
#[derive(Debug, Clone)]
pub(super) struct Proxies {
    pub(super) header: HeaderName,
    pub(super) count: NonZeroUsize,
}

impl Proxies {
    /// Returns the address that the outermost proxy has appended. What a client sends in the header itself stands in front of
    /// that. `None` if there are fewer addresses than proxies, or the text is no address.
    pub(super) fn client_address(&self, headers: &HeaderMap) -> Option<IpAddr> {
        let lines: Vec<_> = headers.get_all(&self.header).iter().collect();
        let mut remaining = self.count.get();
        for line in lines.into_iter().rev() {
            for entry in line.as_bytes().rsplit(|byte| *byte == b',') {
                remaining -= 1;
                if remaining == 0 {
                    return parse_address(std::str::from_utf8(entry).ok()?.trim());
                }
            }
        }
        None
    }
}

/// Parses an address, which may have a port, and brackets if it is one of IPv6.
fn parse_address(text: &str) -> Option<IpAddr> {
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let with_port = || text.parse().map(|address: SocketAddr| address.ip()).ok();
    text.parse().ok().or_else(with_port).or_else(bracketed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn proxies(count: usize) -> Proxies {
        Proxies { header: HeaderName::from_static("x-forwarded-for"), count: NonZeroUsize::new(count).unwrap() }
    }

    fn headers(lines: &[String]) -> HeaderMap {
        lines.iter().map(|line| (HeaderName::from_static("x-forwarded-for"), line.parse().unwrap())).collect()
    }

    #[test]
    fn address_is_parsed_in_every_usual_form() {
        for text in ["192.0.2.1", "192.0.2.1:4711"] {
            assert_eq!(parse_address(text), Some("192.0.2.1".parse().unwrap()), "{text}");
        }
        for text in ["2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:4711"] {
            assert_eq!(parse_address(text), Some("2001:db8::1".parse().unwrap()), "{text}");
        }
        for text in ["", "unknown", "_hidden", "192.0.2", "[192.0.2.1", "2001:db8::1]", "192.0.2.1:99999", "a:1"] {
            assert_eq!(parse_address(text), None, "{text}");
        }
    }

    #[test]
    fn header_with_fewer_addresses_than_proxies_has_no_client() {
        assert_eq!(proxies(2).client_address(&headers(&["192.0.2.1".to_owned()])), None);
        assert_eq!(proxies(1).client_address(&headers(&[])), None);
        assert_eq!(proxies(1).client_address(&headers(&["192.0.2.1, ".to_owned()])), None);
    }

    /// How a proxy appends an address: to the last line, or as a further line.
    fn append(mut lines: Vec<String>, address: &str, adds_line: bool) -> Vec<String> {
        match lines.last_mut().filter(|_| !adds_line) {
            Some(line) => *line = if line.is_empty() { address.to_owned() } else { format!("{line}, {address}") },
            None => lines.push(address.to_owned()),
        }
        lines
    }

    proptest! {
        /// Whatever a client sends, its address is that of the socket that the outermost proxy has accepted.
        #[test]
        fn address_in_a_header_of_the_client_is_never_believed(
            sent in prop::collection::vec("(10\\.0\\.0\\.[0-9]|,| |unknown|\\[::1\\]:5){0,8}", 0..4),
            client in any::<[u8; 4]>(),
            inner in prop::collection::vec((any::<[u8; 4]>(), any::<bool>()), 0..4),
            adds_line in any::<bool>(),
        ) {
            let client = IpAddr::from(client);
            let mut lines = append(sent, &client.to_string(), adds_line);
            for (proxy, adds_line) in &inner {
                lines = append(lines, &IpAddr::from(*proxy).to_string(), *adds_line);
            }
            prop_assert_eq!(proxies(inner.len() + 1).client_address(&headers(&lines)), Some(client));
        }
    }
}
