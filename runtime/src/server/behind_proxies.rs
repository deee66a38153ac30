//! The proxies in front of an endpoint, and the address of a client.

use std::net::SocketAddr;
use std::num::NonZeroUsize;

use axum::extract::ConnectInfo;
use http::request::Parts;

use super::client_address::Proxies;
use super::declared_headers::header_name;
use super::endpoint::Endpoint;
use crate::consumer::Consumer;
use crate::context::PeerAddress;

impl<C: Consumer> Endpoint<C> {
    /// Sets how the address of a client is found behind proxies: `proxies` is the number of proxies that each append the
    /// address of their client to the header `name`. Default: the address of the socket, which is that of the proxy.
    ///
    /// The address counts for [`Limits::handshakes_per_address`](crate::Limits::handshakes_per_address),
    /// [`Limits::max_lingering`](crate::Limits::max_lingering) and the number of log entries about refusals. It is the entry at position `proxies` from the end of the header: what a client itself sends in the
    /// header stands in front of that and is not believed. This holds only if the service is reached through the proxies
    /// alone. A request with fewer entries, or with a text that is no address there, has the address of the socket.
    ///
    /// ```standalone_crate
    /// # use portcullis::{AllowAny, consumer, websocket};
    /// # struct Echo;
    /// # #[consumer]
    /// # impl Echo { #[action(permission = AllowAny)] async fn ping(&self) {} }
    /// // A load balancer in front of one nginx.
    /// let endpoint = websocket(Echo).behind_proxies("x-forwarded-for", 2);
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if `name` is not the name of a header, or is `forwarded`, whose syntax differs; or if `proxies` is zero.
    #[must_use]
    pub fn behind_proxies(mut self, name: &str, proxies: usize) -> Self {
        let header = header_name(name);
        assert!(
            header != http::header::FORWARDED,
            "the header `Forwarded` is not supported; let the proxy send `X-Forwarded-For`"
        );
        let count = NonZeroUsize::new(proxies).unwrap_or_else(|| {
            panic!("without a proxy the address is that of the socket; remove `behind_proxies`, or write at least 1")
        });
        self.proxies = Some(Proxies { header, count });
        self
    }

    /// Adds the address of the client to the extensions, if it is known.
    pub(crate) fn insert_peer_address(&self, parts: &mut Parts) {
        let forwarded = self.proxies.as_ref().and_then(|proxies| proxies.client_address(&parts.headers));
        let of_socket = || Some(parts.extensions.get::<ConnectInfo<SocketAddr>>()?.0.ip());
        if let Some(address) = forwarded.or_else(of_socket) {
            parts.extensions.insert(PeerAddress(address));
        }
    }
}
