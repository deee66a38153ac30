//! Opening an in-process connection.

use std::fmt;

use http::{HeaderName, HeaderValue, Request, Uri};

use super::{Client, Rejected};
use crate::consumer::Consumer;
use crate::server::{Endpoint, Rejection};
use crate::transport::memory;

/// Starts to connect to an endpoint, anonymously, on the path `/`.
///
/// # Panics
///
/// When the endpoint could not be mounted either, because codenames are asked that nobody grants.
pub fn connect<C: Consumer>(endpoint: &Endpoint<C>) -> ConnectBuilder<C> {
    ConnectBuilder {
        endpoint: endpoint.clone().assert_complete(),
        user: None,
        request: Request::new(()),
        answer_pings: true,
    }
}

/// A connection that is about to be opened.
pub struct ConnectBuilder<C: Consumer> {
    endpoint: Endpoint<C>,
    user: Option<C::User>,
    request: Request<()>,
    answer_pings: bool,
}

impl<C: Consumer> ConnectBuilder<C> {
    /// Connects as this user, whatever the endpoint's authentication would say.
    #[must_use]
    pub fn user(mut self, user: C::User) -> Self {
        self.user = Some(user);
        self
    }

    /// Connects on this path, a query included.
    ///
    /// # Panics
    ///
    /// When it is none.
    #[must_use]
    pub fn path(mut self, path: &str) -> Self {
        *self.request.uri_mut() = path.parse::<Uri>().expect("a path and query");
        self
    }

    /// Sends this header along.
    ///
    /// # Panics
    ///
    /// When name or value cannot stand in a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name: HeaderName = name.parse().expect("the name of a header");
        self.request.headers_mut().append(name, HeaderValue::from_str(value).expect("the value of a header"));
        self
    }

    /// Puts a value into the request's extensions, as a tower layer would.
    #[must_use]
    pub fn extension<T: Clone + Send + Sync + 'static>(mut self, value: T) -> Self {
        self.request.extensions_mut().insert(value);
        self
    }

    /// Sets whether the client answers pings. Default: `true`.
    ///
    /// Pings are answered for as long as the [`Client`] exists, even while the test does not await it. Without answers the
    /// connection closes with 4508 once the client has sent nothing for [`Limits::idle_timeout`](crate::Limits::idle_timeout).
    #[must_use]
    pub fn answer_pings(mut self, answer: bool) -> Self {
        self.answer_pings = answer;
        self
    }

    /// Connects. Must be called within a tokio runtime, where the connection is served until the client is dropped.
    pub async fn open(self) -> Result<Client, Rejected> {
        let (parts, ()) = self.request.into_parts();
        match self.endpoint.accept(Box::new(parts), self.user).await {
            Ok(accepted) => {
                let (transport, client_end) = memory::pair(accepted.max_frame_bytes(), self.answer_pings);
                tokio::spawn(accepted.serve(transport));
                Ok(Client::new(client_end))
            }
            Err(Rejection(status)) => Err(Rejected::new(status)),
        }
    }
}

impl<C: Consumer> fmt::Debug for ConnectBuilder<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectBuilder").field("uri", self.request.uri()).finish_non_exhaustive()
    }
}
