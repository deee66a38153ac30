//! The scope of a connection: its user, the HTTP request that opened it, and its grants.

use std::fmt;
use std::hint::black_box;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;
use std::time::SystemTime;

use http::request::Parts;
use http::{Extensions, HeaderValue};
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::kept_request::{KeptHeaders, KeptRequest, UrlParams};
use super::{ConnectionId, User};
use crate::error::{Error, Result};
use crate::grants::{ConnectionGrants, GrantCache};
use crate::panic::drop_contained;

/// A connection: its user, and the HTTP request that opened it.
///
/// The request stays the same for the lifetime of the connection. `#[authenticate]` creates a new scope with the new user.
///
/// ```
/// use portcullis::{Context, Result, User};
///
/// /// Returns the address at which a proxy has seen the client.
/// fn client_address<'a, U: User>(cx: &Context<'a, U>) -> Result<Option<&'a str>> {
///     cx.scope().header("x-real-ip")
/// }
/// ```
// The order of the fields is fixed: event delivery reads the first two per subscriber, and prefetches them.
#[repr(C)]
pub struct Scope<U> {
    user: Option<U>,
    /// The cached grants of the user. `None` if the connection is anonymous or the endpoint has no source of grants.
    grants: Option<ConnectionGrants<U>>,
    details: Box<ScopeDetails<U>>,
}

/// The fields that event delivery does not read, boxed so that those it reads share a cache line.
struct ScopeDetails<U> {
    connection_id: ConnectionId,
    subprotocol: Option<Arc<str>>,
    request: KeptRequest,
    /// The cache from which grants are loaded, also for a user that a later `#[authenticate]` returns.
    source: Option<GrantCache<U>>,
    /// When the user's credentials expire.
    expiry: Option<Instant>,
}

/// The address of the client, in the extensions of the request. Known if the axum server or a proxy provides it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PeerAddress(pub(crate) IpAddr);

impl<U> Scope<U> {
    /// Creates a scope without grants and without expiry, for unit tests of code that reads a scope. It belongs to no
    /// connection: all bits of its [`connection_id`](Scope::connection_id) are zero.
    ///
    /// A codename cannot be evaluated for a user of this scope (500 `internal_error`). To test a whole consumer, use
    /// `portcullis::testing`.
    ///
    /// ```
    /// use portcullis::Scope;
    ///
    /// let (parts, ()) = http::Request::get("/ws?theme=dark").body(()).unwrap().into_parts();
    /// let scope = Scope::<()>::new(None, parts);
    /// assert_eq!((scope.path(), scope.user()), ("/ws", None));
    /// ```
    pub fn new(user: Option<U>, request: Parts) -> Scope<U> {
        Scope::with_kept_headers(user, request, None)
    }

    /// Creates a scope that keeps these headers of the request, or all if there is no list.
    pub(crate) fn with_kept_headers(user: Option<U>, request: Parts, kept_headers: Option<KeptHeaders>) -> Scope<U> {
        let (connection_id, request) = (ConnectionId::NIL, KeptRequest::new(request, kept_headers));
        let details = Box::new(ScopeDetails { connection_id, subprotocol: None, request, source: None, expiry: None });
        Scope { user, grants: None, details }
    }

    /// Sets the id of the connection.
    pub(crate) fn with_connection_id(mut self, id: ConnectionId) -> Scope<U> {
        self.details.connection_id = id;
        self
    }

    /// Sets the negotiated subprotocol.
    pub(crate) fn with_subprotocol(mut self, subprotocol: Option<Arc<str>>) -> Scope<U> {
        self.details.subprotocol = subprotocol;
        self
    }

    /// Sets the cache from which grants are loaded.
    pub(crate) fn with_grants(mut self, cache: Option<&GrantCache<U>>) -> Scope<U> {
        self.details.source = cache.cloned();
        self.grants = cache.filter(|_| self.user.is_some()).map(|cache| ConnectionGrants::new(cache.clone()));
        self
    }

    /// Sets the expiry from [`User::expires_at`].
    ///
    /// # Errors
    ///
    /// 401 `unauthenticated` if the credentials have expired.
    pub(crate) fn with_expiry(self) -> Result<Scope<U>>
    where
        U: User,
    {
        let expires_at = self.user.as_ref().and_then(User::expires_at);
        self.expire_at(expires_at)
    }

    /// Lets the credentials expire at this time, unless they expire earlier.
    ///
    /// # Errors
    ///
    /// 401 `unauthenticated` if the time has passed.
    pub(crate) fn expire_at(mut self, at: Option<SystemTime>) -> Result<Scope<U>> {
        if let Some(at) = at {
            let left = at.duration_since(SystemTime::now()).map_err(|_| Error::unauthenticated())?;
            // A time beyond the range of the clock is no expiry.
            let expiries = [self.details.expiry, Instant::now().checked_add(left)];
            self.details.expiry = expiries.into_iter().flatten().min();
        }
        Ok(self)
    }

    pub(crate) fn expiry(&self) -> Option<Instant> {
        self.details.expiry
    }

    /// Returns a scope of the same connection with another user, whose grants are not loaded yet.
    ///
    /// # Errors
    ///
    /// 401 `unauthenticated` if the user's credentials have expired.
    pub(crate) fn with_user(&self, user: U) -> Result<Scope<U>>
    where
        U: User,
    {
        let ScopeDetails { connection_id, subprotocol, request, source, .. } = &*self.details;
        let (connection_id, subprotocol, request) = (*connection_id, subprotocol.clone(), request.clone());
        let details = ScopeDetails { connection_id, subprotocol, request, source: None, expiry: None };
        Scope { user: Some(user), grants: None, details: Box::new(details) }.with_grants(source.as_ref()).with_expiry()
    }

    /// Returns the user, or `None` if the connection is anonymous.
    pub fn user(&self) -> Option<&U> {
        self.user.as_ref()
    }

    /// Returns the id of the connection.
    pub fn connection_id(&self) -> ConnectionId {
        self.details.connection_id
    }

    /// Returns the subprotocol that was negotiated, or `None` if the client offered none or the endpoint has no
    /// [`subprotocols`](crate::Endpoint::subprotocols).
    pub fn subprotocol(&self) -> Option<&str> {
        self.details.subprotocol.as_deref()
    }

    /// Returns the request that opened the connection, for a reader of these headers.
    ///
    /// # Errors
    ///
    /// A fault (500) if the endpoint does not keep one of the headers.
    pub(crate) fn request(&self, headers: &[&str]) -> Result<&Parts> {
        headers.iter().try_for_each(|name| self.details.request.check_kept(name))?;
        Ok(&self.details.request.parts)
    }

    /// Returns a header of the request that opened the connection, or `None` if the request did not have it or its value is
    /// not visible ASCII. Of a header that occurs several times, the first value.
    ///
    /// # Errors
    ///
    /// A fault (500) if no permission [declares](crate::Permission::HEADERS) the header and the endpoint does not
    /// [keep](crate::Endpoint::keep_headers) it: rights are evaluated again
    /// while the connection is open, and then a header that was dropped must not count as absent. The log names the header.
    pub fn header(&self, name: &str) -> Result<Option<&str>> {
        Ok(self.header_values(name)?.next().and_then(|value| value.to_str().ok()))
    }

    /// Returns all values of a header of the request that opened the connection, in the order of the request.
    ///
    /// # Errors
    ///
    /// As [`header`](Scope::header).
    pub fn header_values(&self, name: &str) -> Result<impl Iterator<Item = &HeaderValue>> {
        self.details.request.header_values(name)
    }

    /// Returns the size of what the connection keeps of its request, in bytes.
    pub(crate) fn request_bytes(&self) -> usize {
        self.details.request.bytes()
    }

    /// Returns the whole path of the request that opened the connection, with the prefix under which a nested router is
    /// mounted: `/api/ws` of `/api/ws?theme=dark`.
    pub fn path(&self) -> &str {
        self.details.request.parts.uri.path()
    }

    /// Parses a capture of the axum route at which the endpoint is mounted, for example `box_id` of `/ws/{box_id}`. It is
    /// decoded from percent-encoding, and stays the same for the lifetime of the connection.
    ///
    /// The captures of a message's route are another matter: see [`Context::capture`](crate::Context::capture).
    ///
    /// ```standalone_crate
    /// use portcullis::{ConnectContext, Result, consumer, websocket};
    ///
    /// struct Boxes;
    ///
    /// #[consumer]
    /// impl Boxes {
    ///     #[connect]
    ///     async fn on_connect(&self, cx: &ConnectContext<'_, ()>) -> Result<()> {
    ///         let box_id: u32 = cx.scope().url_param("box_id")?;
    ///         # let _ = box_id;
    ///         Ok(())
    ///     }
    ///     # #[action(permission = portcullis::AllowAny)] async fn ping(&self) {}
    /// }
    ///
    /// let app: axum::Router = axum::Router::new().route("/ws/{box_id}", websocket(Boxes).into_route());
    /// ```
    ///
    /// # Errors
    ///
    /// 404 `not_found` if the text is not a `T`. A fault (500) if the route has no capture of that name.
    pub fn url_param<T: FromStr>(&self, name: &str) -> Result<T> {
        let params = self.details.request.parts.extensions.get::<UrlParams>();
        let text = params.and_then(|UrlParams(params)| params.iter().find(|(key, _)| **key == *name));
        let (_, text) = text.ok_or_else(|| Error::internal(format!("the URL has no parameter {name:?}")))?;
        text.parse().map_err(|_| Error::not_found())
    }

    /// Deserializes the query of the request that opened the connection, for example `theme=dark` of `/ws?theme=dark`.
    ///
    /// # Errors
    ///
    /// 400 `invalid_query` with field `query` if the query is not a `T`.
    pub fn query<T: DeserializeOwned>(&self) -> Result<T> {
        parse_query(self.details.request.parts.uri.query().unwrap_or_default())
    }

    /// Returns the value of type `T` that a tower layer put into the request extensions or `#[connect]`
    /// [inserted](crate::ConnectContext::insert), or `None` if there is none.
    pub fn extension<T: Clone + Send + Sync + 'static>(&self) -> Option<&T> {
        self.details.request.parts.extensions.get()
    }

    pub(crate) fn extend(&mut self, more: Extensions) {
        self.details.request.parts.extensions.extend(more);
    }

    pub(super) fn grants(&self) -> Option<&ConnectionGrants<U>> {
        self.grants.as_ref()
    }

    /// Reads the cache lines that permissions will read.
    #[inline]
    pub(crate) fn prefetch(&self) {
        black_box(self.user.is_some());
        if let Some(grants) = &self.grants {
            black_box(grants.prefetch());
        }
    }

    /// Returns the user and its cached grants, or `None` if the connection is anonymous.
    ///
    /// # Errors
    ///
    /// A fault if the endpoint has no source of grants.
    pub(super) fn user_grants(&self) -> Result<Option<(&U, &ConnectionGrants<U>)>> {
        match (&self.user, &self.grants) {
            (None, _) => Ok(None),
            (Some(user), Some(grants)) => Ok(Some((user, grants))),
            (Some(_), None) => Err(Error::internal(
                "a codename was evaluated, but the endpoint has no source of grants; add `.grants(..)`",
            )),
        }
    }

    pub(crate) fn user_id(&self) -> std::borrow::Cow<'_, str>
    where
        U: User,
    {
        self.user.as_ref().map_or("anonymous".into(), User::id)
    }
}

/// Contains panics in the `Drop` of the user and of request extensions, because the last handle may be dropped on the task
/// of another connection, for example one that delivers an event.
impl<U> Drop for Scope<U> {
    fn drop(&mut self) {
        drop_contained(self.user.take());
        drop_contained(std::mem::take(&mut self.details.request.parts.extensions));
    }
}

impl<U> fmt::Debug for Scope<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Headers and query may hold credentials.
        f.debug_struct("Scope").field("path", &self.details.request.parts.uri.path()).finish_non_exhaustive()
    }
}

pub(crate) fn parse_query<T: DeserializeOwned>(query: &str) -> Result<T> {
    serde_urlencoded::from_str(query).map_err(|error| {
        Error::new(http::StatusCode::BAD_REQUEST, "invalid_query", error.to_string()).with_field("query")
    })
}
