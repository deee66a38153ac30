//! The endpoint: a consumer with its authentication, origins, limits and grant source.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::authenticate::{Authenticate, ErasedAuthenticate};
#[cfg(feature = "axum")]
use super::client_address::Proxies;
use super::declared_headers::{declared_headers, header_name};
use super::handshake_limiter::HandshakeLimiter;
use super::negotiation::Subprotocols;
use super::origin::Origins;
use crate::broker::ClusterKey;
use crate::connection::Limits;
use crate::consumer::{Consumer, register_mounted};
use crate::context::{ActionRates, KeptHeaders};
use crate::grants::{GrantCache, GrantSource};
use crate::observe::Telemetry;
use crate::pubsub::{LoadUser, Publisher};
use crate::session::{Connections, DrainHandle, OverflowPolicy, SessionRegistry};
use crate::tickets::Tickets;

/// A consumer with its settings, ready to be mounted.
///
/// Created by [`websocket`]. An endpoint is an axum service: [`into_route`](Endpoint::into_route) makes it a route, and
/// tower layers apply to it as to any service. Clones share their connections and groups.
///
/// | setting | default |
/// |---|---|
/// | [`authenticate`](Endpoint::authenticate) | the user in the extensions of the request, else anonymous |
/// | [`tickets`](Endpoint::tickets) | none |
/// | [`authenticate_within`](Endpoint::authenticate_within) | anonymous connections may stay open |
/// | [`allow_cancel`](Endpoint::allow_cancel) | clients cannot cancel messages |
/// | [`allow_origins`](Endpoint::allow_origins) | web pages of the same origin, and clients that send no `Origin` header |
/// | [`hosts`](Endpoint::hosts), [`https_only`](Endpoint::https_only) | any host, with or without TLS |
/// | [`refuse_with_close`](Endpoint::refuse_with_close) | a refused handshake gets an HTTP response |
/// | [`behind_proxies`](Endpoint::behind_proxies) | the address of a client is that of its socket |
/// | [`subprotocols`](Endpoint::subprotocols) | none; the response names no subprotocol |
/// | [`broker`](Endpoint::broker), [`cluster_key`](Endpoint::cluster_key) | events and changes of rights stay on this machine |
/// | [`close_when_cut_off`](Endpoint::close_when_cut_off) | a machine that is cut off from the broker keeps its connections |
/// | [`present_user_loader`](Endpoint::present_user_loader) | present users are those that are connected to the same machine |
/// | [`keep_headers`](Endpoint::keep_headers) | only headers that permissions [declare](crate::Permission::HEADERS) are kept |
/// | [`limits`](Endpoint::limits) | [`Limits::default`] |
/// | [`grants`](Endpoint::grants) | none; required if the consumer uses codenames |
/// | [`overflow_policy`](Endpoint::overflow_policy) | [`OverflowPolicy::Close`] |
/// | [`observe`](Endpoint::observe) | no observer |
/// | `record_metrics`, with the feature `metrics` | no metrics |
///
/// ```standalone_crate
/// use std::time::Duration;
/// use portcullis::{AllowAny, Limits, OverflowPolicy, consumer, websocket};
///
/// struct Echo;
///
/// #[consumer]
/// impl Echo {
///     #[action(permission = AllowAny)]
///     async fn echo(&self, text: String) -> String { text }
/// }
///
/// let endpoint = websocket(Echo)
///     .allow_origins(["https://app.example"])
///     .limits(Limits { idle_timeout: Duration::from_secs(90), ..Limits::default() })
///     .overflow_policy(OverflowPolicy::DropOldest);
/// let publisher = endpoint.publisher();
/// let app: axum::Router = axum::Router::new().route("/ws", endpoint.into_route());
/// ```
///
/// # Handshake
///
/// A request is checked in this order. The first failed check rejects it with a response without a body:
///
/// | check | status |
/// |---|---|
/// | it is a WebSocket upgrade: GET, or an extended CONNECT with the feature `http2` | 405 |
/// | its headers are those of an upgrade | 400 |
/// | its version of the WebSocket protocol is 13, and the server can upgrade it | 426 |
/// | the endpoint is not being [drained](Endpoint::drain_handle) | 503, with `Retry-After` |
/// | it has at most one `Host` header, of an allowed [host](Endpoint::hosts), and its origin is allowed | 403 |
/// | it offers one of the endpoint's [subprotocols](Endpoint::subprotocols), or offers none, or the endpoint has none | 400 |
/// | neither its address exceeds [`Limits::handshakes_per_address`] nor the endpoint [`Limits::max_pending_handshakes`] | 429, 503 |
/// | the [ticket](Endpoint::tickets) that it presents is valid | 401; if loading its user fails, as in the next row |
/// | if it presents none, it can be authenticated | that of the error, or 500 for a fault, a panic or a timeout |
/// | what the connection [keeps](Endpoint::keep_headers) of it is within [`Limits::max_request_bytes`] | 431 |
/// | its user does not exceed [`Limits::handshakes_per_user`] | 429 |
/// | the credentials have not [expired](crate::User::expires_at) | 401 |
/// | `connect = ".."` and the connect permissions allow it | 401 if they refuse an anonymous request, else that of the error; 500 for a fault, a panic or a timeout |
pub struct Endpoint<C: Consumer> {
    pub(super) consumer: Arc<C>,
    pub(super) authenticate: Option<Arc<dyn ErasedAuthenticate<C::User>>>,
    pub(super) tickets: Option<Tickets<C::User>>,
    pub(super) authenticate_within: Option<Duration>,
    pub(super) allows_cancel: bool,
    pub(super) kept_headers: KeptHeaders,
    pub(super) origins: Arc<Origins>,
    pub(super) refuses_with_close: bool,
    #[cfg(feature = "axum")]
    pub(super) proxies: Option<Proxies>,
    pub(crate) limits: Arc<Limits>,
    pub(super) handshake_limiter: Arc<HandshakeLimiter>,
    pub(super) subprotocols: Subprotocols,
    pub(super) grants: Option<GrantCache<C::User>>,
    pub(super) registry: Arc<SessionRegistry<C>>,
    pub(super) overflow_policy: OverflowPolicy,
    pub(super) cluster_key: Option<ClusterKey>,
    pub(super) closes_when_cut_off: bool,
    pub(super) load_present_user: Option<Arc<LoadUser<C::User>>>,
}

/// Creates an endpoint for a consumer, with the default settings of [`Endpoint`].
///
/// ```standalone_crate
/// use portcullis::{AllowAny, consumer, websocket};
///
/// struct Echo;
///
/// #[consumer]
/// impl Echo {
///     #[action(permission = AllowAny)]
///     async fn echo(&self, text: String) -> String { text }
/// }
///
/// let app: axum::Router = axum::Router::new().route("/ws", websocket(Echo).into_route());
/// ```
///
/// # Panics
///
/// Panics if another consumer of the program has the same name, if two codenames, two groups of the consumer or two types of
/// its events have the same name, if a regular expression of a route is larger than the
/// [limit](regex::RegexBuilder::size_limit) of the `regex` crate, or if a [header](crate::Permission::HEADERS) that a
/// permission declares has no valid name.
#[must_use = "an endpoint does nothing until it is mounted"]
pub fn websocket<C: Consumer>(consumer: C) -> Endpoint<C> {
    if let Err(error) = register_mounted::<C>() {
        panic!("{error}");
    }
    if let Err(pattern) = C::DESCRIPTOR.compile_patterns() {
        panic!("a regular expression of the route `{pattern}` of `{}` is too large; write a shorter one", C::NAME);
    }
    Endpoint {
        consumer: Arc::new(consumer),
        authenticate: None,
        tickets: None,
        authenticate_within: None,
        allows_cancel: false,
        kept_headers: declared_headers::<C>(),
        origins: Arc::default(),
        refuses_with_close: false,
        #[cfg(feature = "axum")]
        proxies: None,
        subprotocols: Subprotocols::default(),
        limits: Arc::default(),
        handshake_limiter: Arc::new(HandshakeLimiter::new(&Limits::default())),
        grants: None,
        registry: Arc::new(SessionRegistry::new(Telemetry::new::<C>(), ActionRates::new(C::DESCRIPTOR.rates()))),
        overflow_policy: OverflowPolicy::default(),
        cluster_key: None,
        closes_when_cut_off: false,
        load_present_user: None,
    }
}

impl<C: Consumer> Endpoint<C> {
    /// Sets the function or struct that authenticates requests. Default: none, so that requests without a user are
    /// anonymous.
    ///
    /// It is not called if a tower layer has put a value of the consumer's user type into the extensions of the request: that
    /// value is the user. Nor is it called for a request that presents a [ticket](Endpoint::tickets). See [`Authenticate`] for
    /// the signature and for what an error does.
    ///
    /// ```standalone_crate
    /// # use portcullis::{AllowAny, consumer, Result, User};
    /// # struct Member;
    /// # impl User for Member { fn id(&self) -> std::borrow::Cow<'_, str> { "7".into() } }
    /// # struct Chat;
    /// # #[consumer(user = Member)]
    /// # impl Chat { #[action(permission = AllowAny)] async fn ping(&self) {} }
    /// async fn session_user(parts: &http::request::Parts) -> Result<Option<Member>> {
    ///     Ok(parts.headers.contains_key("cookie").then_some(Member))
    /// }
    ///
    /// let endpoint = portcullis::websocket(Chat).authenticate(session_user);
    /// ```
    #[must_use]
    pub fn authenticate(mut self, authenticate: impl Authenticate<C::User>) -> Self {
        self.authenticate = Some(Arc::new(authenticate));
        self
    }

    /// Sets how long a connection may stay anonymous. Default: without limit.
    ///
    /// The time begins when the handshake is accepted. A connection that has no user by then closes with 4401, and what runs
    /// on it is cancelled, as when credentials expire. Without this limit, and without a `connect` expression that rejects
    /// anonymous requests, clients that never authenticate keep their connections, and
    /// [`into_route`](Endpoint::into_route) logs a warning.
    ///
    /// ```standalone_crate
    /// # use portcullis::{AllowAny, consumer, Result, User};
    /// # struct Member;
    /// # impl User for Member { fn id(&self) -> std::borrow::Cow<'_, str> { "7".into() } }
    /// # struct Chat;
    /// # #[consumer(user = Member)]
    /// # impl Chat {
    /// #     #[authenticate]
    /// #     async fn log_in(&self, token: String) -> Result<Option<Member>> { Ok((token == "7").then_some(Member)) }
    /// #     #[action(permission = AllowAny)]
    /// #     async fn ping(&self) {}
    /// # }
    /// use std::time::Duration;
    ///
    /// let endpoint = portcullis::websocket(Chat).authenticate_within(Duration::from_secs(10));
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if the consumer has no [`#[authenticate]`](macro@crate::authenticate) method, because an anonymous client
    /// could not authenticate.
    #[must_use]
    pub fn authenticate_within(mut self, time_limit: Duration) -> Self {
        assert!(
            C::AUTHENTICATES,
            "`{}` has no `#[authenticate]` method, so its clients cannot authenticate in time; add one, or reject anonymous \
             requests by `connect = IsAuthenticated`",
            C::NAME
        );
        self.authenticate_within = Some(time_limit);
        self
    }

    /// Keeps these headers of each request for the life of its connection, in addition to those that the permissions of the
    /// consumer, its handlers, groups and events [declare](crate::Permission::HEADERS). Default: none. May be called
    /// repeatedly.
    ///
    /// [`authenticate`](Endpoint::authenticate) receives all headers of the request. Everything after it reads those that
    /// are kept, by [`Scope::header`](crate::Scope::header) and the rules of [`http_permission!`](crate::http_permission).
    /// Reading another one is a fault, also in the handshake. [`Limits::max_request_bytes`] bounds their size.
    ///
    /// Without the feature `registry` the headers that permissions of groups declare are unknown to the endpoint: name them
    /// here.
    ///
    /// ```standalone_crate
    /// # use portcullis::{AllowAny, Context, Result, consumer};
    /// # struct Chat;
    /// # #[consumer]
    /// # impl Chat {
    /// #[action(permission = AllowAny)]
    /// async fn language(&self, cx: &Context<'_, ()>) -> Result<String> {
    ///     Ok(cx.scope().header("accept-language")?.unwrap_or("en").to_owned())
    /// }
    /// # }
    ///
    /// let endpoint = portcullis::websocket(Chat).keep_headers(["accept-language"]);
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if a text is not the name of a header.
    #[must_use]
    pub fn keep_headers(mut self, names: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let names = names.into_iter().map(|name| header_name(name.as_ref()));
        self.kept_headers =
            self.kept_headers.iter().cloned().chain(names).collect::<HashSet<_>>().into_iter().collect();
        self
    }

    /// Sets the source from which the grants of users are loaded. Default: none.
    ///
    /// Endpoints that get clones of one [`GrantCache`] share the grants that it has loaded, and a change of rights that is
    /// reported to one of them reaches all.
    ///
    /// An endpoint whose consumer uses codenames needs a source: without one [`into_route`](Endpoint::into_route) panics,
    /// and every handshake is rejected with 500.
    ///
    /// ```standalone_crate
    /// use portcullis::{GrantSet, GrantSource, Result, User, UserGrants, consumer, permissions, websocket};
    ///
    /// permissions! {
    ///     pub notes { can_read = "Can read notes" }
    /// }
    ///
    /// struct Member(u64);
    ///
    /// impl User for Member {
    ///     fn id(&self) -> std::borrow::Cow<'_, str> { self.0.to_string().into() }
    /// }
    ///
    /// /// Stands for a role table in a database.
    /// struct Roles;
    ///
    /// impl GrantSource<Member> for Roles {
    ///     async fn load(&self, member: &Member) -> Result<UserGrants> {
    ///         let readable = if member.0 < 100 { vec![notes::can_read] } else { vec![] };
    ///         Ok(readable.into_iter().collect::<GrantSet>().into())
    ///     }
    /// }
    ///
    /// struct Notes;
    ///
    /// #[consumer(user = Member)]
    /// impl Notes {
    ///     #[action(permission = notes.can_read)]
    ///     async fn read(&self) -> &'static str { "Buy milk." }
    /// }
    ///
    /// let endpoint = websocket(Notes).grants(Roles);
    /// ```
    #[must_use]
    pub fn grants(mut self, grants: impl GrantSource<C::User>) -> Self {
        let cache = grants.into_cache();
        self.registry.link(&cache);
        self.grants = Some(cache);
        self
    }

    /// Sets what happens when the send queue of a connection is full. Default: [`OverflowPolicy::Close`].
    #[must_use]
    pub fn overflow_policy(mut self, policy: OverflowPolicy) -> Self {
        self.overflow_policy = policy;
        self
    }

    /// Sets the limits of the endpoint and of its connections. Default: [`Limits::default`].
    ///
    /// The rates and the number of handshakes in progress are counted anew from this call on, apart from those of clones that
    /// were made before.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.handshake_limiter = Arc::new(HandshakeLimiter::new(&limits));
        self.limits = Arc::new(limits);
        self
    }

    /// Begins to check the encoding of everything that is published and joined.
    #[cfg(feature = "testing")]
    pub(crate) fn check_encoding(&self) {
        self.registry.encoding_checks.enable();
    }

    /// Returns a handle that publishes events to the connections of this endpoint and of its clones.
    pub fn publisher(&self) -> Publisher<C> {
        Publisher::new(self.registry.clone())
    }

    /// Returns a handle that closes the connections of this endpoint and of its clones before the server is stopped.
    pub fn drain_handle(&self) -> DrainHandle {
        DrainHandle::new(self.registry.clone())
    }

    /// Returns a handle that revalidates or closes connections of this endpoint and its clones after a change of rights.
    pub fn connections(&self) -> Connections<C> {
        Connections::new(self.registry.clone())
    }
}

impl<C: Consumer> Clone for Endpoint<C> {
    fn clone(&self) -> Self {
        Endpoint {
            consumer: self.consumer.clone(),
            authenticate: self.authenticate.clone(),
            tickets: self.tickets.clone(),
            authenticate_within: self.authenticate_within,
            allows_cancel: self.allows_cancel,
            kept_headers: self.kept_headers.clone(),
            origins: self.origins.clone(),
            refuses_with_close: self.refuses_with_close,
            #[cfg(feature = "axum")]
            proxies: self.proxies.clone(),
            subprotocols: self.subprotocols.clone(),
            limits: self.limits.clone(),
            handshake_limiter: self.handshake_limiter.clone(),
            grants: self.grants.clone(),
            registry: self.registry.clone(),
            overflow_policy: self.overflow_policy,
            cluster_key: self.cluster_key.clone(),
            closes_when_cut_off: self.closes_when_cut_off,
            load_present_user: self.load_present_user.clone(),
        }
    }
}

impl<C: Consumer> fmt::Debug for Endpoint<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("consumer", &C::NAME).field("limits", &self.limits).finish_non_exhaustive()
    }
}
