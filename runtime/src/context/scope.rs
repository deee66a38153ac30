//! The scope of a connection: its user, the HTTP request that opened it, and its grants.

use std::fmt;
use std::hint::black_box;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::SystemTime;

use bytes::{BufMut, BytesMut};
use http::request::Parts;
use http::{Extensions, HeaderMap, HeaderValue, Uri};
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::{ConnectionId, User};
use crate::error::{Error, Result};
use crate::grants::{ConnectionGrants, GrantCache};
use crate::panic::drop_contained;

/// A connection: its user, and the HTTP request that opened it.
///
/// The request stays the same for the lifetime of the connection. `#[authenticate]` creates a new scope with the new user.
///
/// ```
/// use portcullis::{Context, User};
///
/// /// Returns the address at which a proxy has seen the client.
/// fn client_address<'a, U: User>(cx: &Context<'a, U>) -> Option<&'a str> {
///     cx.scope().headers().get("x-real-ip")?.to_str().ok()
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
    request: Parts,
    /// The cache from which grants are loaded, also for a user that a later `#[authenticate]` returns.
    source: Option<GrantCache<U>>,
    /// When the user's credentials expire.
    expiry: Option<Instant>,
}

/// The captures of the axum route at which the endpoint is mounted, in the extensions of the request.
#[derive(Debug, Clone, Default)]
pub(crate) struct UrlParams(Vec<(Box<str>, Box<str>)>);

/// The address of the client's socket, in the extensions of the request. Known if the axum server provides it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PeerAddress(pub(crate) IpAddr);

#[cfg(any(feature = "axum", feature = "testing"))]
impl UrlParams {
    pub(crate) fn push(&mut self, name: &str, value: &str) {
        self.0.push((name.into(), value.into()));
    }

    /// Adds the parameters to the request, if there are any.
    pub(crate) fn insert_into(mut self, extensions: &mut Extensions) {
        if !self.0.is_empty() {
            self.0.shrink_to_fit();
            extensions.insert(self);
        }
    }
}

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
    pub fn new(user: Option<U>, mut request: Parts) -> Scope<U> {
        request.uri = detach(&request.uri, &mut request.headers);
        if request.extensions.is_empty() {
            // An emptied map keeps its allocation.
            request.extensions = Extensions::new();
        }
        let connection_id = ConnectionId::NIL;
        Scope {
            user,
            grants: None,
            details: Box::new(ScopeDetails { connection_id, request, source: None, expiry: None }),
        }
    }

    /// Sets the id of the connection.
    pub(crate) fn with_connection_id(mut self, id: ConnectionId) -> Scope<U> {
        self.details.connection_id = id;
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
    pub(crate) fn with_expiry(mut self) -> Result<Scope<U>>
    where
        U: User,
    {
        if let Some(at) = self.user.as_ref().and_then(User::expires_at) {
            let left = at.duration_since(SystemTime::now()).map_err(|_| Error::unauthenticated())?;
            // A time beyond the range of the clock is no expiry.
            self.details.expiry = Instant::now().checked_add(left);
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
        let ScopeDetails { connection_id, request, source, .. } = &*self.details;
        let details =
            ScopeDetails { connection_id: *connection_id, request: request.clone(), source: None, expiry: None };
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

    /// Returns the request that opened the connection, without its body.
    pub fn request(&self) -> &Parts {
        &self.details.request
    }

    /// Returns the headers of the request that opened the connection.
    pub fn headers(&self) -> &HeaderMap {
        &self.details.request.headers
    }

    /// Returns the whole path of the request that opened the connection, with the prefix under which a nested router is
    /// mounted: `/api/ws` of `/api/ws?theme=dark`.
    pub fn path(&self) -> &str {
        self.details.request.uri.path()
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
        let params = self.details.request.extensions.get::<UrlParams>();
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
        parse_query(self.details.request.uri.query().unwrap_or_default())
    }

    /// Returns the value of type `T` that a tower layer put into the request extensions or `#[connect]`
    /// [inserted](crate::ConnectContext::insert), or `None` if there is none.
    pub fn extension<T: Clone + Send + Sync + 'static>(&self) -> Option<&T> {
        self.details.request.extensions.get()
    }

    pub(crate) fn extend(&mut self, more: Extensions) {
        self.details.request.extensions.extend(more);
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
        drop_contained(std::mem::take(&mut self.details.request.extensions));
    }
}

impl<U> fmt::Debug for Scope<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Headers and query may hold credentials.
        f.debug_struct("Scope").field("path", &self.details.request.uri.path()).finish_non_exhaustive()
    }
}

pub(crate) fn parse_query<T: DeserializeOwned>(query: &str) -> Result<T> {
    serde_urlencoded::from_str(query).map_err(|error| {
        Error::new(http::StatusCode::BAD_REQUEST, "invalid_query", error.to_string()).with_field("query")
    })
}

/// Copies the URI and the header values into one allocation of their own. As they come from the HTTP server, each of them
/// keeps the server's whole read buffer alive.
fn detach(uri: &Uri, headers: &mut HeaderMap) -> Uri {
    let path = uri.path_and_query().map_or("", |path| path.as_str());
    let length = path.len() + headers.values().map(HeaderValue::len).sum::<usize>();
    let mut buffer = BytesMut::with_capacity(length);
    buffer.put_slice(path.as_bytes());
    headers.values().for_each(|value| buffer.put_slice(value.as_bytes()));
    let mut buffer = buffer.freeze();
    let uri = Uri::from_maybe_shared(buffer.split_to(path.len())).unwrap_or_default();
    for value in headers.values_mut() {
        let sensitive = value.is_sensitive();
        let copy = HeaderValue::from_maybe_shared(buffer.split_to(value.len()));
        *value = copy.unwrap_or_else(|_| HeaderValue::from_static(""));
        value.set_sensitive(sensitive);
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detached_request_equals_original() {
        let request = http::Request::get("/ws/a?token=x&y=%20")
            .header("origin", "http://a")
            .header("cookie", "one")
            .header("cookie", "two")
            .body(())
            .unwrap();
        let (parts, ()) = request.into_parts();
        let (expected_uri, expected_headers) = (parts.uri.clone(), parts.headers.clone());
        let scope = Scope::<()>::new(None, parts);
        assert_eq!((&scope.details.request.uri, &scope.details.request.headers), (&expected_uri, &expected_headers));
        let (parts, ()) = http::Request::new(()).into_parts();
        let scope = Scope::<()>::new(None, parts);
        assert_eq!((scope.path(), scope.headers().len()), ("/", 0));
    }
}
