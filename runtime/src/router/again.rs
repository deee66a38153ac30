//! Asking once more whether an action may be called, because what its caller may do has changed while it ran.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;

use super::answer::{Answerer, timed_out};
use super::deadline::deadline;
use super::matching::Matched;
use super::refusal::{panicked, report};
use crate::consumer::Consumer;
use crate::error::Error;
use crate::message::{Reply, Request};
use crate::scope::{Admitted, Call};

impl<C: Consumer> Answerer<C> {
    /// Whether the action of a message that was let through in that epoch may still be called. What it may cause then is true
    /// of the epoch that this gives back.
    pub(crate) async fn still(&self, text: &str, epoch: &mut u64) -> bool {
        loop {
            let now = self.seat.mailbox.epoch();
            if now == *epoch {
                return true;
            }
            if !self.holds(text).await {
                return false;
            }
            *epoch = now;
        }
    }

    /// Walks the way of a message up to its action. The log says which leaf refuses now.
    async fn holds(&self, text: &str) -> bool {
        let Ok(scope) = self.scope() else { return false };
        let mut request = Request::default();
        if request.read(text, self.bounds).is_err() {
            return false;
        }
        let mut matched = Matched::default();
        matched.find(self.seat.consumer().node(), &request.head.route);
        let call = Call::new(&*scope, &request.head, &request.fields, &matched.captures, &matched.steps)
            .with_objects(self.bounds.objects)
            .only_asking();
        // Nothing is written to it.
        let mut reply = Reply::new();
        let way = self.seat.consumer().enter::<C>(&call, Admitted::at_the_door(), 0, &mut reply);
        let error = match deadline(self.time, AssertUnwindSafe(way).catch_unwind()).await {
            Some(Ok(Err(error))) if error.is_asked() => return true,
            Some(Ok(Err(error))) => error,
            Some(Ok(Ok(()))) => Error::internal("an action ran that was only to be asked"),
            Some(Err(panic)) => panicked(&*panic),
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
