//! One event at one session: whether it may be delivered, its frame, and the way into the send queue.

use std::sync::Arc;

use super::event::{Emits, Subscriber};
use super::publication::Publication;
use crate::consumer::Consumer;
use crate::context::Scope;
use crate::log::Cause;
use crate::panic::catch_unwind;
use crate::session::delivery_path::DeliveryPath;
use crate::session::queued_event::EventHandle;
use crate::session::send_queue::EnqueueOutcome;
use crate::session::session::Session;
use crate::sync::atomic::Ordering;
use crate::transport::Text;

impl<C: Consumer> Session<C> {
    /// Looks at what is read of every member, without asking anything yet.
    #[inline]
    pub(crate) fn fast_path_view(&self) -> FastPathView<'_, C::User> {
        // The epoch first: who reads that of a change sees below that the change is under way.
        let epoch = self.send_queue.epoch();
        let is_fast = !self.has_deferred.load(Ordering::SeqCst) && !self.is_renewed.load(Ordering::SeqCst);
        FastPathView { epoch, scope: self.initial_scope.get().filter(|_| is_fast) }
    }

    /// Gives an event to whoever sits here and may see it, as they were at that glance. Nothing waits for them.
    #[inline]
    pub(crate) fn deliver_fast<E>(
        self: &Arc<Self>,
        view: &FastPathView<'_, C::User>,
        publication: &Arc<Publication<E>>,
        path: DeliveryPath<'_, C>,
    ) -> DeliveryOutcome
    where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        match view.scope {
            Some(scope) => self.authorize_and_enqueue(scope, publication, path, view.epoch),
            None => self.deliver(publication, path),
        }
    }

    /// The same as they are now.
    pub(crate) fn deliver<E>(
        self: &Arc<Self>,
        publication: &Arc<Publication<E>>,
        path: DeliveryPath<'_, C>,
    ) -> DeliveryOutcome
    where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        // Read first, for the same reason.
        let epoch = self.send_queue.epoch();
        let Some(scope) = self.scope() else { return DeliveryOutcome::Done };
        // What comes after an event that waits has to wait too.
        if self.has_deferred.load(Ordering::SeqCst) {
            return self.defer(publication, path);
        }
        self.authorize_and_enqueue(&scope, publication, path, epoch)
    }

    /// Asks whether they may see it, and gives it to them.
    #[inline]
    fn authorize_and_enqueue<E>(
        self: &Arc<Self>,
        scope: &Scope<C::User>,
        publication: &Arc<Publication<E>>,
        path: DeliveryPath<'_, C>,
        epoch: u64,
    ) -> DeliveryOutcome
    where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        match self.authorize_event(&Subscriber::new(scope), publication) {
            Some(false) => DeliveryOutcome::Refused,
            Some(true) => match self.enqueue(scope, publication, path, epoch) {
                EnqueueOutcome::Enqueued | EnqueueOutcome::Discarded => DeliveryOutcome::Done,
                EnqueueOutcome::Stale | EnqueueOutcome::PathChanged => self.defer(publication, path),
            },
            None => self.defer(publication, path),
        }
    }

    /// It waits, and is counted when it is settled.
    #[cold]
    fn defer<E>(self: &Arc<Self>, publication: &Arc<Publication<E>>, path: DeliveryPath<'_, C>) -> DeliveryOutcome
    where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        self.push_deferred(publication.handle(self, path));
        DeliveryOutcome::Done
    }

    /// Whether they may see it. A panic is a no.
    pub(crate) fn authorize_event<E>(
        &self,
        subscriber: &Subscriber<'_, C::User>,
        publication: &Publication<E>,
    ) -> Option<bool>
    where
        C: Emits<E>,
    {
        let event = publication.event();
        catch_unwind(|| self.consumer.may_see(subscriber, event)).unwrap_or_else(|panic| {
            let cause = Cause::new(&panic.message());
            tracing::error!(event = <C as Emits<E>>::NAME, ?cause, "event refused: permission panicked");
            self.registry.counters.record_failure();
            Some(false)
        })
    }

    /// Puts it into the mailbox, as it was asked about in that epoch.
    fn enqueue<E>(
        &self,
        scope: &Scope<C::User>,
        publication: &Arc<Publication<E>>,
        path: DeliveryPath<'_, C>,
        epoch: u64,
    ) -> EnqueueOutcome
    where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        self.build_frame(scope, publication, path, |frame, handle, frame_version| {
            // What is not wanted any more is dropped here: nothing is locked.
            let (outcome, _) = self.send_queue.enqueue(frame, handle, epoch, frame_version, || path.version());
            outcome
        })
    }

    /// Makes the frame for whoever sits here, and again while what it shows of its way changes before it is put in.
    pub(crate) fn build_frame<E>(
        &self,
        scope: &Scope<C::User>,
        publication: &Arc<Publication<E>>,
        path: DeliveryPath<'_, C>,
        enqueue: impl Fn(Text, EventHandle<C>, u64) -> EnqueueOutcome,
    ) -> EnqueueOutcome
    where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        loop {
            let Some(frame_version) = path.version() else { return EnqueueOutcome::Discarded };
            let Some(frame) = publication.frame(self, scope, path) else { return EnqueueOutcome::Discarded };
            match enqueue(frame, publication.handle(self, path), frame_version) {
                EnqueueOutcome::PathChanged => {}
                outcome => return outcome,
            }
        }
    }

    /// Puts in what was asked about; from then on no change takes it back from here.
    pub(crate) fn enqueue_deferred<E>(
        &self,
        scope: &Scope<C::User>,
        publication: &Arc<Publication<E>>,
        path: DeliveryPath<'_, C>,
        epoch: u64,
    ) -> EnqueueOutcome
    where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        self.build_frame(scope, publication, path, |frame, handle, frame_version| {
            let mut deferred = self.lock_deferred();
            let (outcome, discarded) = self.send_queue.enqueue(frame, handle, epoch, frame_version, || path.version());
            let delivered = if matches!(outcome, EnqueueOutcome::Enqueued | EnqueueOutcome::Discarded) {
                deferred.in_progress.take()
            } else {
                None
            };
            drop(deferred);
            // Not under the lock: an event may run its own code when it is dropped.
            drop((delivered, discarded));
            outcome
        })
    }
}

/// What is read of every member.
pub(crate) struct FastPathView<'a, U> {
    epoch: u64,
    /// Who sits there, if nothing is in the way of asking them at once.
    scope: Option<&'a Scope<U>>,
}

impl<U> FastPathView<'_, U> {
    /// Reads ahead what permissions will read.
    #[inline]
    pub(crate) fn prefetch(&self) {
        if let Some(scope) = self.scope {
            scope.fetch();
        }
    }
}

/// What became of an event at one seat, as far as that is known at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeliveryOutcome {
    Refused,
    /// It was put in, or waits, or nobody wants it.
    Done,
}
