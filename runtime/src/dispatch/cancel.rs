//! The built-in action `cancel`: ends what another message of the same connection has in flight.

use http::StatusCode;
use tokio_util::sync::CancellationToken;

use super::dispatcher::{CANCEL, Dispatcher, is_cancel};
use super::refusal::refuse;
use crate::consumer::Consumer;
use crate::context::Call;
use crate::dialect::{Dialect, Native};
use crate::error::Error;
use crate::message::{Reply, Request};

impl<C: Consumer> Dispatcher<C> {
    /// Returns whether a frame is a message that calls `cancel`.
    #[inline]
    pub(crate) fn is_cancellation(&self, text: &str) -> bool {
        self.cancellation.is_some() && self.calls_cancel(text)
    }

    fn calls_cancel(&self, text: &str) -> bool {
        // Parsed only if the text may contain the name, which may be written with escapes.
        if !(text.contains(CANCEL) || text.contains('\\')) {
            return false;
        }
        let mut request = Request::default();
        Native::read(&mut request, text, self.request_limits).is_ok() && is_cancel(&request.head)
    }

    /// Reads the target of a message to `cancel`, and writes the reply: 204, whether or not there is such a message. Returns
    /// `None`, with another reply, if the message has no target.
    pub(crate) fn answer_cancellation(&self, text: &str, reply: &mut Reply) -> Option<Box<str>> {
        let request = self.reparse(text);
        let target = request.fields.iter().find(|(key, _)| key == "target").map(|(_, value)| Box::from(value.text));
        if target.is_some() {
            Native::begin(reply);
            // Cannot fail: the status is a success, and `()` is serialized as `null`.
            let _ = reply.data(StatusCode::NO_CONTENT, &());
            Native::finish(reply, &request.head.echo, None);
        } else if let Ok(scope) = self.scope() {
            let error = Error::new(StatusCode::BAD_REQUEST, "missing_argument", "Missing argument `target`.");
            let call = Call::new(&*scope, &request.head, &[], &[], &[]);
            refuse(&call, &error.with_field("target"), reply);
        }
        target
    }

    /// Returns the request id of a message that can be cancelled: `None` if the endpoint does not allow it, and if the
    /// message has none or is one to `authenticate`.
    pub(crate) fn cancellable_id(&self, text: &str) -> Option<Box<str>> {
        self.cancellation.as_ref()?;
        if self.is_authentication(text) {
            return None;
        }
        self.reparse(text).head.echo.request_id.map(Box::from)
    }

    /// Returns whether a message has that request id.
    pub(crate) fn has_request_id(&self, text: &str, id: &str) -> bool {
        // The text of the id is part of the text of the message.
        text.contains(id) && self.reparse(text).head.echo.request_id == Some(id)
    }

    /// Returns whether the message that is dispatched was cancelled.
    #[inline]
    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancellation.as_ref().is_some_and(CancellationToken::is_cancelled)
    }

    /// Makes what is dispatched from now on independent of earlier messages, if the endpoint allows `cancel`.
    pub(crate) fn renew_cancellation(&mut self) {
        if let Some(cancellation) = &mut self.cancellation {
            *cancellation = CancellationToken::new();
        }
    }
}
