//! Opens in-process connections.

use std::fmt;

use http::{HeaderName, HeaderValue, Request, Uri};

use super::{Client, Rejected};
use crate::connection::close;
use crate::consumer::Consumer;
use crate::context::UrlParams;
use crate::server::Endpoint;
use crate::transport::memory;

/// Creates a builder that opens an in-process connection to an endpoint. Default: anonymous, with the path `/`.
///
/// # Panics
///
/// Panics if the consumer uses codenames and the endpoint has no source of [`grants`](Endpoint::grants), as
/// `Endpoint::into_route` does.
pub fn connect<C: Consumer>(endpoint: &Endpoint<C>) -> ConnectBuilder<C> {
    endpoint.check_encoding();
    ConnectBuilder {
        endpoint: endpoint.clone().assert_complete(),
        user: None,
        request: Request::new(()),
        url_params: UrlParams::default(),
        answer_pings: true,
    }
}

/// The settings of a connection to open, created by [`connect`].
///
/// ```standalone_crate
/// use http::request::Parts;
/// use portcullis::testing::connect;
/// use portcullis::{AllowAny, Error, Result, consumer, websocket};
///
/// struct Echo;
///
/// #[consumer]
/// impl Echo {
///     #[action(permission = AllowAny)]
///     async fn echo(&self, text: String) -> String { text }
/// }
///
/// async fn check_key(parts: &Parts) -> Result<Option<()>> {
///     if parts.headers.contains_key("x-key") { Ok(None) } else { Err(Error::unauthenticated()) }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let echo = websocket(Echo).authenticate(check_key);
/// assert_eq!(connect(&echo).open().await.unwrap_err().status(), 401);
/// connect(&echo).path("/ws?lang=en").header("x-key", "5").open().await.unwrap();
/// # }
/// ```
pub struct ConnectBuilder<C: Consumer> {
    endpoint: Endpoint<C>,
    user: Option<C::User>,
    request: Request<()>,
    url_params: UrlParams,
    answer_pings: bool,
}

impl<C: Consumer> ConnectBuilder<C> {
    /// Connects as this user, without calling the endpoint's authentication.
    #[must_use]
    pub fn user(mut self, user: C::User) -> Self {
        self.user = Some(user);
        self
    }

    /// Sets the path of the request, which may include a query. Default: `/`.
    ///
    /// # Panics
    ///
    /// Panics if the text is not a valid URI.
    #[must_use]
    pub fn path(mut self, path: &str) -> Self {
        *self.request.uri_mut() = path.parse::<Uri>().expect("invalid path or query");
        self
    }

    /// Adds a capture of the axum route, as [`Scope::url_param`](crate::Scope::url_param) reads it. Default: none. The path is
    /// not matched against a route, so set it by [`path`](ConnectBuilder::path) if the consumer reads that too.
    #[must_use]
    pub fn url_param(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.url_params.push(name, &value.to_string());
        self
    }

    /// Adds a header to the request. Default: no headers.
    ///
    /// # Panics
    ///
    /// Panics if the name or the value is not valid in a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name: HeaderName = name.parse().expect("invalid header name");
        self.request.headers_mut().append(name, HeaderValue::from_str(value).expect("invalid header value"));
        self
    }

    /// Inserts a value into the extensions of the request, as a tower layer does. An `axum::extract::ConnectInfo<SocketAddr>`
    /// is the address of the client, which is unknown by default.
    #[must_use]
    pub fn extension<T: Clone + Send + Sync + 'static>(mut self, value: T) -> Self {
        self.request.extensions_mut().insert(value);
        self
    }

    /// Sets whether the client answers pings. Default: `true`.
    ///
    /// Pings are answered for as long as the [`Client`] exists, even while the test does not await it. Without answers the
    /// connection closes with 4508 once the client has sent nothing for
    /// [`Limits::idle_timeout`](crate::Limits::idle_timeout).
    #[must_use]
    pub fn answer_pings(mut self, answer: bool) -> Self {
        self.answer_pings = answer;
        self
    }

    /// Performs the handshake and starts to serve the connection on the current tokio runtime, until the client is dropped.
    ///
    /// # Errors
    ///
    /// Returns the status with which the handshake was rejected, see [`Endpoint`](crate::Endpoint#handshake). With
    /// [`refuse_with_close`](Endpoint::refuse_with_close) the connection opens and [closes](Client::closed) instead.
    ///
    /// # Panics
    ///
    /// Panics outside of a tokio runtime.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the handshake is abandoned and no connection is opened.
    pub async fn open(self) -> Result<Client, Rejected> {
        let (mut parts, ()) = self.request.into_parts();
        self.url_params.insert_into(&mut parts.extensions);
        #[cfg(feature = "axum")]
        self.endpoint.insert_peer_address(&mut parts);
        let outcome = self.endpoint.accept(Box::new(parts), self.user).await;
        let (transport, client_end) = memory::pair(self.endpoint.limits.max_frame_bytes, self.answer_pings);
        match outcome {
            Ok(accepted) => tokio::spawn(accepted.serve(transport)),
            Err(rejection) => match self.endpoint.refuse(&rejection) {
                Some((frame, permit)) => tokio::spawn(async move {
                    close(transport, frame).await;
                    drop(permit);
                }),
                None => return Err(Rejected::new(rejection.status)),
            },
        };
        Ok(Client::new(client_end))
    }
}

impl<C: Consumer> fmt::Debug for ConnectBuilder<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The query may hold a ticket.
        f.debug_struct("ConnectBuilder").field("path", &self.request.uri().path()).finish_non_exhaustive()
    }
}
