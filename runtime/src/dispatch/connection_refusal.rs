//! Refusals without an action: of binary frames, of messages above the rate of the connection, and of messages whose action
//! gets no slot.

use http::StatusCode;
use tokio::time::Instant;

use super::admission::Admission;
use super::dispatcher::Dispatcher;
use super::outcome::Outcome;
use super::refusal::{refuse, unstarted};
use crate::consumer::Consumer;
use crate::context::Call;
use crate::dialect::{Dialect, Native};
use crate::error::Error;
use crate::message::{Echo, Reply};
use crate::transport::ExcessMessage;

impl<C: Consumer> Dispatcher<C> {
    /// Returns a dispatcher with that admission.
    pub(crate) fn with_admission(&self, admission: Admission) -> Dispatcher<C> {
        Dispatcher { admission, ..self.clone() }
    }

    /// Refuses an authorized message whose action gets no slot.
    #[cold]
    pub(super) fn refuse_at_limit(&self, call: Call<'_, C::User>, reply: &mut Reply) -> Outcome {
        let error = match self.admission {
            Admission::Refused(kind) => kind.limit_error(),
            Admission::Undecided | Admission::Admitted => Error::internal("bug: message authorized without its action"),
        };
        refuse(&call, &error, reply);
        unstarted(call)
    }

    /// Writes the reply to a binary frame, which is an error.
    pub(crate) fn refuse_binary(reply: &mut Reply) {
        let error = Error::new(StatusCode::BAD_REQUEST, "binary_frame", "Messages are text frames.");
        Native::refuse(reply, &Echo::default(), &error, None, None);
    }

    /// Counts a message above the rate of its connection, and writes the reply to it. Only the envelope is parsed.
    #[cold]
    pub(crate) fn refuse_excess(&self, message: &ExcessMessage, reply: &mut Reply) {
        self.session.registry.telemetry.record_refused_message();
        let error = Error::too_many_requests(message.retry_at.saturating_duration_since(Instant::now()));
        self.refuse(message.text.as_deref().unwrap_or_default(), &error, reply, false);
    }
}
