//! The setting of an endpoint that lets clients cancel messages.

use super::endpoint::Endpoint;
use crate::consumer::Consumer;
use crate::dispatch::CANCEL;

impl<C: Consumer> Endpoint<C> {
    /// Lets clients cancel their own messages by the built-in action `cancel`. Default: off.
    ///
    /// `{"action":"cancel","request_id":2,"target":1}` is about the message with the `request_id` 1 of the same connection: it
    /// ends the values of its stream, takes it out of the queue, or completes
    /// [`cx.cancelled()`](crate::PermissionContext::cancelled) of its running action, which is not dropped unless it has
    /// `cancel = drop`. The message is answered with 499. The [wire protocol](crate::guide::wire_protocol) has the details.
    ///
    /// While it is on, the consumer itself cannot have an action named `cancel`; handlers under a route can. Mounting such an
    /// endpoint panics.
    ///
    /// ```standalone_crate
    /// use portcullis::{AllowAny, Context, consumer, websocket};
    ///
    /// struct Search;
    ///
    /// #[consumer]
    /// impl Search {
    ///     #[action(permission = AllowAny, detached, cancel = drop)]
    ///     async fn find(&self, text: String) -> Vec<String> { vec![text] }
    /// }
    ///
    /// let endpoint = websocket(Search).allow_cancel();
    /// ```
    #[must_use]
    pub fn allow_cancel(mut self) -> Self {
        self.allows_cancel = true;
        self
    }

    /// Returns whether the built-in `cancel` is on and the consumer has an action of that name, which no message could call.
    pub(super) fn hides_an_action(&self) -> bool {
        self.allows_cancel && C::DESCRIPTOR.actions.iter().any(|action| action.name == CANCEL)
    }
}
