//! Refusals that web pages can read.

use tokio::sync::OwnedSemaphorePermit;

use super::endpoint::Endpoint;
use super::rejection::Rejection;
use crate::consumer::Consumer;
use crate::transport::CloseFrame;

impl<C: Consumer> Endpoint<C> {
    /// Lets web pages learn why they are refused. Default: a refused handshake gets an HTTP response, whose status a browser
    /// hides from the page.
    ///
    /// With this setting the upgrade is accepted, and the connection closes at once, before `#[connect]` and without having
    /// been registered. The close code is 4000 plus the status of the response, or 4500 for a fault:
    ///
    /// | response | close code | reason |
    /// |---|---|---|
    /// | 401 | 4401 | `unauthenticated` |
    /// | 403 | 4403 | `refused` |
    /// | 429 with `Retry-After: 30` | 4429 | `retry after 30` |
    /// | 503 with `Retry-After: 1` | 1013 | `retry after 1` |
    /// | another from 400 to 499 | 4400 to 4499 | `refused` |
    /// | 500 | 4500 | `internal error` |
    ///
    /// A request whose host or origin is not allowed gets 403 nevertheless, so that a foreign page learns nothing, and one
    /// that is not a valid upgrade the response that says so. A refused client holds its socket for up to two seconds, until it
    /// has read the close frame.
    ///
    /// ```standalone_crate
    /// use portcullis::testing::connect;
    /// use portcullis::{AllowAny, IsAuthenticated, User, consumer, websocket};
    ///
    /// # struct Member;
    /// # impl User for Member { fn id(&self) -> std::borrow::Cow<'_, str> { "7".into() } }
    /// struct Notes;
    ///
    /// #[consumer(user = Member, connect = IsAuthenticated)]
    /// impl Notes {
    ///     #[action(permission = AllowAny)]
    ///     async fn read(&self) -> &'static str { "Buy milk." }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// assert_eq!(connect(&websocket(Notes)).open().await.unwrap_err().status(), 401);
    /// let mut client = connect(&websocket(Notes).refuse_with_close()).open().await.unwrap();
    /// assert_eq!(client.closed().await, 4401);
    /// # }
    /// ```
    #[must_use]
    pub fn refuse_with_close(mut self) -> Self {
        self.refuses_with_close = true;
        self
    }

    /// Returns the close frame with which the connection is refused in place of a response, and the permit that it needs until it
    /// is closed. `None` if the response is to be sent.
    pub(crate) fn refuse(&self, rejection: &Rejection) -> Option<(CloseFrame, OwnedSemaphorePermit)> {
        let frame = if self.refuses_with_close { rejection.close_frame()? } else { return None };
        Some((frame, self.handshake_limiter.begin_refusal()?))
    }
}
