//! The refusal of a message whose action gets no slot.

use super::admission::Admission;
use super::dispatcher::Dispatcher;
use super::outcome::Outcome;
use super::refusal::refuse;
use crate::consumer::Consumer;
use crate::context::Call;
use crate::error::Error;
use crate::message::Reply;

impl<C: Consumer> Dispatcher<C> {
    /// Returns a dispatcher with that admission.
    pub(crate) fn with_admission(&self, admission: Admission) -> Dispatcher<C> {
        Dispatcher { admission, ..self.clone() }
    }

    /// Refuses an authorized message whose action gets no slot. Like every reply that only an authorized caller may see, it is
    /// reauthorized if rights change before it is sent.
    #[cold]
    pub(super) fn refuse_at_limit(&self, mut call: Call<'_, C::User>, reply: &mut Reply) -> Outcome {
        let error = match self.admission {
            Admission::Refused(kind) => kind.limit_error(),
            Admission::Undecided | Admission::Admitted => Error::internal("bug: message authorized without its action"),
        };
        refuse(&call, &error, reply);
        let (evaluation_epoch, side_effects) = (call.evaluation_epoch(), call.take_kept_answers());
        Outcome::Completed { has_reply: true, has_started: false, evaluation_epoch, side_effects }
    }
}
