//! Asking once more whether an action may be called, because what its caller may do has changed while it ran.

use super::dispatcher::{AbortOnDrop, Dispatcher, HEAD_START, row, timed_out};
use super::report::{panicked, report};
use super::route_match::RouteMatch;
use crate::consumer::{Consumer, Traversal};
use crate::context::{Authorized, Call};
use crate::error::Error;
use crate::message::{OwnEpochs, Reply, Request};
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
    pub(crate) fn from_epoch(epoch: u64) -> AuthorizedAt {
        AuthorizedAt { epoch, own: None }
    }

    /// The action changes something by itself.
    pub(crate) fn own(&mut self, changes: Option<OwnEpochs>) {
        self.own = changes;
    }

    /// Whether nothing has changed since, but for what the action itself has.
    #[inline]
    pub(crate) fn holds<C: Consumer>(&mut self, answerer: &Dispatcher<C>) -> bool {
        let now = answerer.seat.mailbox.epoch();
        if now != self.epoch && !self.own.as_ref().is_some_and(|own| own.are_all(self.epoch, now)) {
            return false;
        }
        self.epoch = now;
        true
    }

    /// Asks again until nothing has changed since. Whether the action of that message may still be called.
    pub(crate) async fn again<C: Consumer>(&mut self, answerer: &Dispatcher<C>, text: &str) -> bool {
        while !self.holds(answerer) {
            let now = answerer.seat.mailbox.epoch();
            if !answerer.may_still(text).await {
                return false;
            }
            self.epoch = now;
        }
        true
    }
}

impl<C: Consumer> Dispatcher<C> {
    /// Walks the way of a message up to its action, where the action itself would run.
    async fn may_still(&self, text: &str) -> bool {
        let request = self.reread(text);
        let mut matched = RouteMatch::default();
        matched.find(self.seat.consumer().descriptor(), &request.head.route);
        if !row(&matched, &request.head).is_some_and(|row| row.is_blocking) {
            return self.walk(&request, &matched).await;
        }
        let (there, text) = (Dispatcher { blocking: true, ..self.clone() }, text.to_owned());
        let walking = AbortOnDrop::new(move || async move {
            let request = there.reread(&text);
            let mut matched = RouteMatch::default();
            matched.find(there.seat.consumer().descriptor(), &request.head.route);
            there.walk(&request, &matched).await
        });
        matches!(deadline(self.time.saturating_add(HEAD_START), walking).await, Some(Ok(Some(true))))
    }

    /// The log says which leaf refuses now.
    async fn walk(&self, request: &Request<'_>, matched: &RouteMatch<'_>) -> bool {
        let Ok(scope) = self.scope() else { return false };
        let call = Call::new(&*scope, &request.head, &request.fields, &matched.captures, &matched.steps)
            .with_objects(self.bounds.objects)
            .on_blocking_thread(self.blocking)
            .only_asking();
        // Nothing is written to it.
        let mut reply = Reply::new();
        let mut walk = Traversal::new(&call, &mut reply);
        let way = self.seat.consumer().enter::<C>(&mut walk, Authorized::at_the_door());
        let error = match deadline(self.time, contain_future(way)).await {
            Some(Ok(Err(error))) if error.is_asked() => return true,
            Some(Ok(Err(error))) => error,
            Some(Ok(Ok(()))) => Error::internal("an action ran that was only to be asked"),
            Some(Err(panic)) => panicked(&panic),
            None => timed_out(&call),
        };
        report(&call, &error);
        false
    }

    /// Writes the refusal of an action that may not be called any more, as the last of several replies or as the only one.
    pub(crate) fn deny(&self, text: &str, reply: &mut Reply, of_several: bool) {
        self.refuse(text, &Error::denied(), reply, of_several);
    }
}
