//! What a connection keeps of the HTTP request that opened it.

use std::sync::Arc;

use bytes::{BufMut, BytesMut};
use http::request::Parts;
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Uri};

use crate::error::{Error, Result};

/// The names of the headers that an endpoint keeps.
pub(crate) type KeptHeaders = Arc<[HeaderName]>;

/// The captures of the axum route at which the endpoint is mounted, in the extensions of the request.
#[derive(Debug, Clone, Default)]
pub(crate) struct UrlParams(pub(super) Vec<(Box<str>, Box<str>)>);

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

/// The request that opened a connection, without its body and without the headers that the endpoint does not keep.
#[derive(Debug, Clone)]
pub(super) struct KeptRequest {
    pub(super) parts: Parts,
    /// The names of the headers that the endpoint keeps. `None` if all are kept.
    kept_headers: Option<KeptHeaders>,
}

impl KeptRequest {
    /// Keeps these headers of the request, or all if there is no list.
    pub(super) fn new(mut parts: Parts, kept_headers: Option<KeptHeaders>) -> KeptRequest {
        if let Some(names) = &kept_headers {
            parts.headers = kept(&parts.headers, names);
        }
        parts.uri = detach(&parts.uri, &mut parts.headers);
        if parts.extensions.is_empty() {
            // An emptied map keeps its allocation.
            parts.extensions = Extensions::new();
        }
        KeptRequest { parts, kept_headers }
    }

    /// Returns the values of a header.
    ///
    /// # Errors
    ///
    /// As [`check_kept`](KeptRequest::check_kept).
    pub(super) fn header_values(&self, name: &str) -> Result<impl Iterator<Item = &HeaderValue> + use<'_>> {
        self.check_kept(name)?;
        Ok(self.parts.headers.get_all(name).into_iter())
    }

    /// Checks that the endpoint keeps the header.
    ///
    /// # Errors
    ///
    /// A fault that names the header.
    pub(super) fn check_kept(&self, name: &str) -> Result<()> {
        let is_kept = |names: &KeptHeaders| names.iter().any(|kept| kept.as_str().eq_ignore_ascii_case(name));
        if self.kept_headers.as_ref().is_none_or(is_kept) {
            return Ok(());
        }
        Err(Error::internal(format!(
            "header `{name}` was read but is not kept; add it to the `HEADERS` of the permission or to \
             `Endpoint::keep_headers`"
        )))
    }

    /// Returns the size of path, query and headers, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let Parts { uri, headers, .. } = &self.parts;
        let path = uri.path_and_query().map_or(0, |path| path.as_str().len());
        path + headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum::<usize>()
    }
}

/// Returns the headers with these names.
fn kept(headers: &HeaderMap, names: &[HeaderName]) -> HeaderMap {
    let mut kept = HeaderMap::new();
    for name in names {
        for value in headers.get_all(name) {
            kept.append(name, value.clone());
        }
    }
    kept
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
    use super::super::Scope;
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
        let request = KeptRequest::new(parts, None);
        assert_eq!((&request.parts.uri, &request.parts.headers), (&expected_uri, &expected_headers));
        let (parts, ()) = http::Request::new(()).into_parts();
        let request = KeptRequest::new(parts, None);
        assert_eq!((request.parts.uri.path(), request.parts.headers.len(), request.bytes()), ("/", 0, 1));
    }

    #[test]
    fn header_that_is_not_kept_is_a_fault_and_never_absent() {
        let request = || {
            let request = http::Request::get("/").header("X-Office", "north").header("x-office", "south");
            request.header("cookie", "secret").header("x-bytes", &b"\xff"[..]).body(()).unwrap().into_parts().0
        };
        let names: KeptHeaders = ["x-office", "x-absent", "x-bytes"].map(HeaderName::from_static).into();
        let scope = Scope::<()>::with_kept_headers(None, request(), Some(names));
        assert_eq!(scope.header("x-OFFICE").unwrap(), Some("north"));
        assert_eq!(scope.header_values("x-office").unwrap().count(), 2);
        assert_eq!((scope.header("x-absent").unwrap(), scope.header("x-bytes").unwrap()), (None, None));
        for name in ["cookie", "x-other", "not a name"] {
            let error = scope.header(name).unwrap_err();
            assert!(error.is_fault() && error.to_string().contains(&format!("header `{name}`")), "{error}");
        }
        assert!(scope.request(&["x-office"]).is_ok_and(|request| request.headers.len() == 3));
        assert!(scope.request(&["x-office", "cookie"]).is_err());
        let all = Scope::<()>::new(None, request());
        assert_eq!((all.header("cookie").unwrap(), all.header("x-other").unwrap()), (Some("secret"), None));
    }
}
