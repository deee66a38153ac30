//! Who is connected and how they came in: what stays the same for the life of a connection.

use std::fmt;
use std::hint::black_box;
use std::time::SystemTime;

use bytes::{BufMut, BytesMut};
use http::request::Parts;
use http::{Extensions, HeaderMap, HeaderValue, Uri};
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::User;
use crate::error::{Error, Result};
use crate::grants::{ConnectionGrants, GrantCache};
use crate::panic::drop_contained;

/// One connection: its user, and the HTTP request that opened it.
///
/// What is asked of it for every event stands in front: see where events are delivered.
#[repr(C)]
pub struct Scope<U> {
    user: Option<U>,
    /// What the user was granted. Nobody's grants are held for an anonymous connection.
    grants: Option<ConnectionGrants<U>>,
    details: Box<ScopeDetails<U>>,
}

/// What is seldom asked. Apart, so that what is asked for every event takes up little.
struct ScopeDetails<U> {
    request: Parts,
    /// Where grants come from.
    source: Option<GrantCache<U>>,
    /// When the user's credentials run out.
    expiry: Option<Instant>,
}

impl<U> Scope<U> {
    /// A scope by hand, for tests of permissions and for transports of one's own.
    pub fn new(user: Option<U>, mut request: Parts) -> Scope<U> {
        request.uri = detach(&request.uri, &mut request.headers);
        if request.extensions.is_empty() {
            // An empty map still holds the memory of what was taken out of it.
            request.extensions = Extensions::new();
        }
        Scope { user, grants: None, details: Box::new(ScopeDetails { request, source: None, expiry: None }) }
    }

    /// The same, with a source of grants.
    pub(crate) fn with_grants(mut self, cache: Option<&GrantCache<U>>) -> Scope<U> {
        self.details.source = cache.cloned();
        self.grants = cache.filter(|_| self.user.is_some()).map(|cache| ConnectionGrants::new(cache.clone()));
        self
    }

    /// The same for as long as the user's credentials are good. 401 where they are not any more.
    pub(crate) fn with_expiry(mut self) -> Result<Scope<U>>
    where
        U: User,
    {
        if let Some(at) = self.user.as_ref().and_then(User::expires_at) {
            let left = at.duration_since(SystemTime::now()).map_err(|_| Error::unauthenticated())?;
            // What the clock cannot count to never comes.
            self.details.expiry = Instant::now().checked_add(left);
        }
        Ok(self)
    }

    pub(crate) fn expiry(&self) -> Option<Instant> {
        self.details.expiry
    }

    /// The same connection with the user of fresh credentials, whose grants are still to be loaded.
    pub(crate) fn with_user(&self, user: U) -> Result<Scope<U>>
    where
        U: User,
    {
        let ScopeDetails { request, source, .. } = &*self.details;
        let details = Box::new(ScopeDetails { request: request.clone(), source: None, expiry: None });
        Scope { user: Some(user), grants: None, details }.with_grants(source.as_ref()).with_expiry()
    }

    /// Who is connected; `None` is anonymous.
    pub fn user(&self) -> Option<&U> {
        self.user.as_ref()
    }

    /// The request that opened the connection, but for its body.
    pub fn request(&self) -> &Parts {
        &self.details.request
    }

    /// The headers of the request that opened the connection.
    pub fn headers(&self) -> &HeaderMap {
        &self.details.request.headers
    }

    /// The path of the request that opened the connection.
    pub fn path(&self) -> &str {
        self.details.request.uri.path()
    }

    /// The query of the request that opened the connection. 400 where it does not fit `T`.
    pub fn query<T: DeserializeOwned>(&self) -> Result<T> {
        parse_query(self.details.request.uri.query().unwrap_or_default())
    }

    /// A value that a tower layer or `#[connect]` put there.
    pub fn extension<T: Clone + Send + Sync + 'static>(&self) -> Option<&T> {
        self.details.request.extensions.get()
    }

    pub(crate) fn extend(&mut self, more: Extensions) {
        self.details.request.extensions.extend(more);
    }

    pub(super) fn grants(&self) -> Option<&ConnectionGrants<U>> {
        self.grants.as_ref()
    }

    /// Reads ahead what permissions read.
    #[inline]
    pub(crate) fn prefetch(&self) {
        black_box(self.user.is_some());
        if let Some(grants) = &self.grants {
            black_box(grants.prefetch());
        }
    }

    /// Whose grants are asked: nobody's for an anonymous connection.
    pub(super) fn user_grants(&self) -> Result<Option<(&U, &ConnectionGrants<U>)>> {
        match (&self.user, &self.grants) {
            (None, _) => Ok(None),
            (Some(user), Some(grants)) => Ok(Some((user, grants))),
            (Some(_), None) => Err(Error::internal(
                "a codename is asked, but the endpoint has no grants; give it some with `Endpoint::grants`",
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

/// Gives them memory of their own. As they come from the HTTP server, the least of them keeps its whole read buffer.
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
