//! Reauthorization: evaluates the permissions of an action again because rights have changed while it ran.

use super::blocking::{BLOCKING_GRACE_PERIOD, BlockingTask};
use super::dispatcher::{Dispatcher, find_action};
use super::refusal::timeout_error;
use super::report::{panic_error, report};
use super::route_match::RouteMatch;
use crate::consumer::{Consumer, Traversal};
use crate::context::{Authorized, Call, Epoch, OwnEpochs, SideEffects};
use crate::error::Error;
use crate::log::Truncated;
use crate::message::{Reply, Request};
use crate::panic::{contain_future, log_entry};
use crate::time::deadline;

/// The epoch in which an action was last authorized.
pub(crate) struct AuthorizedAt {
    epoch: Epoch,
    /// The epochs that the action has begun itself. It is not reauthorized for them.
    own_epochs: Option<OwnEpochs>,
    /// The first epoch in which the action has listed members of a group: what it replies holds in no later one.
    list_epoch: Option<Epoch>,
    /// The answers of leaves that are evaluated once per message.
    kept_answers: Option<Box<SideEffects>>,
}

impl AuthorizedAt {
    /// Creates it for an action whose permissions were evaluated in `epoch`.
    pub(crate) fn at_epoch(epoch: Epoch) -> AuthorizedAt {
        AuthorizedAt { epoch, own_epochs: None, list_epoch: None, kept_answers: None }
    }

    /// Takes over what the evaluation has left in the side effects: the epochs that the action has begun itself, the one in
    /// which it has listed members, and the answers of leaves that are evaluated once per message.
    pub(crate) fn take_evaluation(&mut self, side_effects: &mut SideEffects) {
        self.own_epochs = side_effects.own_epochs().cloned();
        self.list_epoch = side_effects.list_epoch();
        self.kept_answers = SideEffects::with_kept_answers(std::mem::take(&mut side_effects.kept_answers));
    }

    /// Returns whether no epoch has begun since, except by the action itself.
    #[inline]
    pub(crate) fn is_current<C: Consumer>(&mut self, dispatcher: &Dispatcher<C>) -> bool {
        let current = dispatcher.session.send_queue.epoch();
        let is_current = self.has_no_foreign_epoch(self.epoch, current);
        if is_current {
            self.epoch = current;
        }
        is_current
    }

    /// Returns whether no epoch has begun after `since`, up to `current`, except by the action itself.
    #[inline]
    fn has_no_foreign_epoch(&self, since: Epoch, current: Epoch) -> bool {
        current == since || self.own_epochs.as_ref().is_some_and(|own_epochs| own_epochs.are_all(since, current))
    }

    /// Evaluates the permissions of the message until no epoch begins meanwhile. Returns whether its action is still
    /// authorized, and has listed members on the rights that hold now.
    pub(crate) async fn reauthorize<C: Consumer>(&mut self, dispatcher: &Dispatcher<C>, text: &str) -> bool {
        let (mut overtaken, mut evaluation) = (0, None);
        while !self.is_current(dispatcher) {
            evaluation = evaluation.or_else(|| dispatcher.session.registry.pending_raises.wait_for(overtaken));
            overtaken += 1;
            let current = dispatcher.session.send_queue.epoch();
            if self.list_epoch.is_some_and(|list_epoch| !self.has_no_foreign_epoch(list_epoch, current)) {
                let user = dispatcher.session.user_id().map(Truncated::new);
                log_entry!(INFO, ?user, "reply withheld: rights changed after users were listed");
                return false;
            }
            if !dispatcher.is_authorized(text, &mut self.kept_answers).await {
                return false;
            }
            self.epoch = current;
        }
        true
    }
}

impl<C: Consumer> Dispatcher<C> {
    /// Evaluates the permissions of a message, for a blocking action on the blocking pool. Returns whether all hold, and
    /// updates the answers of leaves that are evaluated once per message.
    async fn is_authorized(&self, text: &str, kept_answers: &mut Option<Box<SideEffects>>) -> bool {
        let request = self.reparse(text);
        let mut matched = RouteMatch::default();
        matched.find(self.session.consumer().descriptor(), &request.head.route);
        let action = find_action(&matched, &request.head);
        if !action.is_some_and(|action| action.is_blocking) {
            return self.evaluate_permissions(&request, &matched, kept_answers).await;
        }
        let (dispatcher, text) = (Dispatcher { is_blocking_thread: true, ..self.clone() }, text.to_owned());
        let mut kept = kept_answers.take();
        let task = BlockingTask::new(move || async move {
            let request = dispatcher.reparse(&text);
            let mut matched = RouteMatch::default();
            matched.find(dispatcher.session.consumer().descriptor(), &request.head.route);
            let is_authorized = dispatcher.evaluate_permissions(&request, &matched, &mut kept).await;
            (is_authorized, kept)
        });
        let time_limit = self.time_limit(action);
        match deadline(time_limit.saturating_add(BLOCKING_GRACE_PERIOD), task).await {
            Some(Ok(Some((is_authorized, kept)))) => {
                *kept_answers = kept;
                is_authorized
            }
            Some(_) | None => false,
        }
    }

    /// Traverses the handler tree without calling the action. Returns whether all permissions hold; if not, logs the
    /// refusal.
    async fn evaluate_permissions(
        &self,
        request: &Request<'_>,
        matched: &RouteMatch<'_>,
        kept_answers: &mut Option<Box<SideEffects>>,
    ) -> bool {
        let Ok(scope) = self.scope() else { return false };
        let mut call = Call::new(&*scope, &request.head, &request.fields, &matched.captures, &matched.steps)
            .with_max_objects(self.request_limits.max_objects)
            .on_blocking_thread(self.is_blocking_thread)
            .with_kept_answers(kept_answers.take())
            .with_authorization_only(true);
        // Stays empty: the action is not called.
        let mut reply = Reply::new();
        let mut traversal = Traversal::new(&call, &mut reply);
        let entry = self.session.consumer().enter::<C>(&mut traversal, Authorized::root());
        let time_limit = self.time_limit(find_action(matched, &request.head));
        let error = match deadline(time_limit, contain_future(entry)).await {
            Some(Ok(Err(error))) if error.is_authorized_only() => {
                *kept_answers = call.take_kept_answers();
                return true;
            }
            Some(Ok(Err(error))) => error,
            Some(Ok(Ok(()))) => Error::internal("bug: action ran during reauthorization"),
            Some(Err(panic)) => panic_error(&panic),
            None => timeout_error(&call),
        };
        report(&call, &error);
        false
    }
}
