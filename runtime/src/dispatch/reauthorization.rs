//! Asking once more whether an action may be called, because what its caller may do has changed while it ran.

use super::blocking::{AbortOnDrop, HEAD_START};
use super::dispatcher::{Dispatcher, find_action, timed_out};
use super::report::{panicked, report};
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
    own: Option<OwnEpochs>,
}

impl AuthorizedAt {
    /// Creates it for an action whose permissions were evaluated in `epoch`.
    pub(crate) fn at_epoch(epoch: u64) -> AuthorizedAt {
        AuthorizedAt { epoch, own: None }
    }

    /// The action changes something by itself.
    pub(crate) fn ignore_own_epochs(&mut self, own: Option<&OwnEpochs>) {
        self.own = own.cloned();
    }

    /// Whether nothing has changed since, but for what the action itself has.
    #[inline]
    pub(crate) fn is_current<C: Consumer>(&mut self, dispatcher: &Dispatcher<C>) -> bool {
        let now = dispatcher.session.send_queue.epoch();
        if now != self.epoch && !self.own.as_ref().is_some_and(|own| own.are_all(self.epoch, now)) {
            return false;
        }
        self.epoch = now;
        true
    }

    /// Asks again until nothing has changed since. Whether the action of that message may still be called.
    pub(crate) async fn reauthorize<C: Consumer>(&mut self, dispatcher: &Dispatcher<C>, text: &str) -> bool {
        while !self.is_current(dispatcher) {
            let now = dispatcher.session.send_queue.epoch();
            if !dispatcher.is_still_authorized(text).await {
                return false;
            }
            self.epoch = now;
        }
        true
    }
}

impl<C: Consumer> Dispatcher<C> {
    /// Walks the way of a message up to its action, where the action itself would run.
    async fn is_still_authorized(&self, text: &str) -> bool {
        let request = self.parse_again(text);
        let mut matched = RouteMatch::default();
        matched.find(self.session.consumer().descriptor(), &request.head.route);
        if !find_action(&matched, &request.head).is_some_and(|action| action.is_blocking) {
            return self.evaluate_only(&request, &matched).await;
        }
        let (there, text) = (Dispatcher { is_blocking: true, ..self.clone() }, text.to_owned());
        let walking = AbortOnDrop::new(move || async move {
            let request = there.parse_again(&text);
            let mut matched = RouteMatch::default();
            matched.find(there.session.consumer().descriptor(), &request.head.route);
            there.evaluate_only(&request, &matched).await
        });
        matches!(deadline(self.action_timeout.saturating_add(HEAD_START), walking).await, Some(Ok(Some(true))))
    }

    /// The log says which leaf refuses now.
    async fn evaluate_only(&self, request: &Request<'_>, matched: &RouteMatch<'_>) -> bool {
        let Ok(scope) = self.scope() else { return false };
        let call = Call::new(&*scope, &request.head, &request.fields, &matched.captures, &matched.steps)
            .with_objects(self.request_limits.max_objects)
            .on_blocking_thread(self.is_blocking)
            .authorizing_only();
        // Nothing is written to it.
        let mut reply = Reply::new();
        let mut walk = Traversal::new(&call, &mut reply);
        let way = self.session.consumer().enter::<C>(&mut walk, Authorized::at_the_door());
        let error = match deadline(self.action_timeout, contain_future(way)).await {
            Some(Ok(Err(error))) if error.is_authorized_only() => return true,
            Some(Ok(Err(error))) => error,
            Some(Ok(Ok(()))) => Error::internal("an action ran that was only to be asked"),
            Some(Err(panic)) => panicked(&panic),
            None => timed_out(&call),
        };
        report(&call, &error);
        false
    }

    /// Writes the refusal of an action that may not be called any more, as the last of several replies or as the only one.
    pub(crate) fn refuse_changed_rights(&self, text: &str, reply: &mut Reply, is_stream: bool) {
        self.refuse(text, &Error::denied(), reply, is_stream);
    }
}
