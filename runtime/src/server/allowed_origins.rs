//! The settings of an endpoint that say which pages may connect.

use std::sync::Arc;

use super::endpoint::Endpoint;
use super::origin::{HostPattern, OriginPattern};
use crate::consumer::Consumer;

impl<C: Consumer> Endpoint<C> {
    /// Allows web pages of these origins to connect, in addition to pages of the same origin. May be called repeatedly.
    ///
    /// An origin is written `https://app.example` or `http://localhost:3000`. `https://*.app.example` allows every origin
    /// below that domain, at any depth, but not the domain itself. The origins of applications and browser extensions are
    /// written in the same way: `tauri://localhost`.
    ///
    /// A page of any other origin is rejected with 403. Requests without an `Origin` header do not come from a web page and
    /// are allowed.
    ///
    /// # Panics
    ///
    /// Panics if a text is not an origin, or if it allows a whole top-level domain.
    #[must_use]
    pub fn allow_origins(mut self, origins: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        for origin in origins {
            let origin = origin.as_ref();
            let pattern = OriginPattern::parse(origin).unwrap_or_else(|| {
                panic!("`{origin}` is not an origin; write `https://app.example` or `https://*.app.example`")
            });
            Arc::make_mut(&mut self.origins).allowed.push(pattern);
        }
        self
    }

    /// Accepts only requests that are addressed to one of these hosts. Default: any host. May be called repeatedly.
    ///
    /// A page has the same origin as the server if its host is that of the request's `Host` header. An attacker who lets a
    /// domain of their own point to the server's address controls both (DNS rebinding), which this setting prevents.
    ///
    /// A host is written `chat.example`, which any port may follow in the request, or `chat.example:8443`.
    /// `*.chat.example` stands for every host below that domain, at any depth. Another host is rejected with 403.
    ///
    /// ```standalone_crate
    /// # use portcullis::{AllowAny, consumer, websocket};
    /// # struct Echo;
    /// # #[consumer]
    /// # impl Echo { #[action(permission = AllowAny)] async fn ping(&self) {} }
    /// let endpoint = websocket(Echo).hosts(["chat.example", "*.chat.example"]).https_only();
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if a text is not a host.
    #[must_use]
    pub fn hosts(mut self, hosts: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        for host in hosts {
            let host = host.as_ref();
            let pattern = HostPattern::parse(host);
            let pattern = pattern.unwrap_or_else(|| panic!("`{host}` is not a host; write `chat.example`"));
            Arc::make_mut(&mut self.origins).hosts.push(pattern);
        }
        self
    }

    /// Rejects pages of the same host that were loaded without TLS. Default: allowed, because behind a proxy the server does
    /// not know the scheme of the client's request.
    ///
    /// Origins that [`allow_origins`](Endpoint::allow_origins) lists with `http` stay allowed.
    #[must_use]
    pub fn https_only(mut self) -> Self {
        Arc::make_mut(&mut self.origins).is_https_only = true;
        self
    }

    /// Allows web pages of any origin to connect.
    ///
    /// Safe only if users are not identified by a cookie, a client certificate or a network address: a browser sends these
    /// with the requests of every page.
    #[must_use]
    pub fn allow_any_origin(mut self) -> Self {
        Arc::make_mut(&mut self.origins).allow_any = true;
        self
    }
}
