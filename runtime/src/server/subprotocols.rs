//! The setting of an endpoint's subprotocols.

use super::endpoint::Endpoint;
use crate::consumer::Consumer;

impl<C: Consumer> Endpoint<C> {
    /// Sets the subprotocols of the endpoint, the most preferred one first. Default: none. May be called repeatedly,
    /// which adds to them.
    ///
    /// A client offers subprotocols in the header `Sec-WebSocket-Protocol`, a page as the second argument of
    /// `WebSocket`. The response names the first subprotocol of the endpoint that the client offers, and
    /// [`Scope::subprotocol`](crate::Scope::subprotocol) returns it. Upper and lower case differ. Portcullis speaks
    /// the same [protocol](crate::guide::wire_protocol) under every name.
    ///
    /// | the client offers | with this setting | without it |
    /// |---|---|---|
    /// | none | accepted without a subprotocol | accepted without a subprotocol |
    /// | one of the endpoint's | accepted with it | accepted, but browsers treat it as a failure |
    /// | only others | rejected with 400 | accepted, but browsers treat it as a failure |
    ///
    /// A browser fails a connection whose response names none of the subprotocols that the page has offered. So a
    /// client that offers only unknown ones is rejected before it is authenticated, and not accepted for nothing.
    ///
    /// ```standalone_crate
    /// use portcullis::{AllowAny, Context, consumer, websocket};
    ///
    /// struct Chat;
    ///
    /// #[consumer]
    /// impl Chat {
    ///     /// Returns the version of the protocol that the client speaks.
    ///     #[action(permission = AllowAny)]
    ///     async fn version(&self, cx: &Context<'_, ()>) -> Option<String> {
    ///         cx.scope().subprotocol().map(str::to_owned)
    ///     }
    /// }
    ///
    /// let endpoint = websocket(Chat).subprotocols(["chat.v2", "chat.v1"]);
    /// # #[cfg(feature = "testing")]
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// # use portcullis::testing::connect;
    /// # let client = connect(&endpoint).header("sec-websocket-protocol", "chat.v1, chat.v2").open();
    /// # assert_eq!(client.await.unwrap().call("version").await.data(), "chat.v2");
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if a text is not the name of a subprotocol, which consists of visible ASCII characters without spaces and
    /// without any of `()<>@,;:\"/[]?={}`, or if it begins with `ticket.`, because that presents a
    /// [ticket](Endpoint::tickets).
    #[must_use]
    pub fn subprotocols(mut self, names: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        self.subprotocols.add(names);
        self
    }
}
