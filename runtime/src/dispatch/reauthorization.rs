//! Asking once more whether an action may be called, because what its caller may do has changed while it ran.

use super::blocking::{BLOCKING_GRACE_PERIOD, BlockingTask};
use super::dispatcher::{Dispatcher, find_action, timeout_error};
use super::report::{panic_error, report};
use super::route_match::RouteMatch;
use crate::consumer::{Consumer, Traversal};
use crate::context::{Authorized, Call, OwnEpochs};
use crate::error::Error;
use crate::message::{Reply, Request};
use crate::panic::contain_future;
use crate::time::deadline;

/// When it was last asked whether an action may be called.
pub(crate) struct AuthorizedAt {
    epoch: u64,
    /// What the action itself changes of what its caller may do: that is its own doing.
    own_epochs: Option<OwnEpochs>,
}

impl AuthorizedAt {
    /// Creates it for an action whose permissions were evaluated in `epoch`.
    pub(crate) fn at_epoch(epoch: u64) -> AuthorizedAt {
        AuthorizedAt { epoch, own_epochs: None }
    }

    /// The action changes something by itself.
    pub(crate) fn ignore_own_epochs(&mut self, own_epochs: Option<&OwnEpochs>) {
        self.own_epochs = own_epochs.cloned();
    }

    /// Whether nothing has changed since, but for what the action itself has.
    #[inline]
    pub(crate) fn is_current<C: Consumer>(&mut self, dispatcher: &Dispatcher<C>) -> bool {
        let current = dispatcher.session.send_queue.epoch();
        if current != self.epoch
            && !self.own_epochs.as_ref().is_some_and(|own_epochs| own_epochs.are_all(self.epoch, current))
        {
            return false;
        }
        self.epoch = current;
        true
    }

    /// Asks again until nothing has changed since. Whether the action of that message may still be called.
    pub(crate) async fn reauthorize<C: Consumer>(&mut self, dispatcher: &Dispatcher<C>, text: &str) -> bool {
        while !self.is_current(dispatcher) {
            let current = dispatcher.session.send_queue.epoch();
            if !dispatcher.is_authorized(text).await {
                return false;
            }
            self.epoch = current;
        }
        true
    }
}

impl<C: Consumer> Dispatcher<C> {
    /// Walks the way of a message up to its action, where the action itself would run.
    async fn is_authorized(&self, text: &str) -> bool {
        let request = self.reparse(text);
        let mut matched = RouteMatch::default();
        matched.find(self.session.consumer().descriptor(), &request.head.route);
        if !find_action(&matched, &request.head).is_some_and(|action| action.is_blocking) {
            return self.evaluate_permissions(&request, &matched).await;
        }
        let (dispatcher, text) = (Dispatcher { is_blocking_thread: true, ..self.clone() }, text.to_owned());
        let task = BlockingTask::new(move || async move {
            let request = dispatcher.reparse(&text);
            let mut matched = RouteMatch::default();
            matched.find(dispatcher.session.consumer().descriptor(), &request.head.route);
            dispatcher.evaluate_permissions(&request, &matched).await
        });
        matches!(deadline(self.action_timeout.saturating_add(BLOCKING_GRACE_PERIOD), task).await, Some(Ok(Some(true))))
    }

    /// The log says which leaf refuses now.
    async fn evaluate_permissions(&self, request: &Request<'_>, matched: &RouteMatch<'_>) -> bool {
        let Ok(scope) = self.scope() else { return false };
        let call = Call::new(&*scope, &request.head, &request.fields, &matched.captures, &matched.steps)
            .with_objects(self.request_limits.max_objects)
            .on_blocking_thread(self.is_blocking_thread)
            .authorizing_only();
        // Nothing is written to it.
        let mut reply = Reply::new();
        let mut traversal = Traversal::new(&call, &mut reply);
        let entry = self.session.consumer().enter::<C>(&mut traversal, Authorized::at_the_door());
        let error = match deadline(self.action_timeout, contain_future(entry)).await {
            Some(Ok(Err(error))) if error.is_authorized_only() => return true,
            Some(Ok(Err(error))) => error,
            Some(Ok(Ok(()))) => Error::internal("an action ran that was only to be asked"),
            Some(Err(panic)) => panic_error(&panic),
            None => timeout_error(&call),
        };
        report(&call, &error);
        false
    }

    /// Writes the refusal of an action that may not be called any more, as the last of several replies or as the only one.
    pub(crate) fn refuse_changed_rights(&self, text: &str, reply: &mut Reply, is_stream: bool) {
        self.refuse(text, &Error::denied(), reply, is_stream);
    }
}
