//! Delivery of one event to one session: authorization, frame and send queue.

use std::sync::Arc;

use super::event::{Emits, Subscriber};
use super::publication::Publication;
use crate::consumer::Consumer;
use crate::context::{Epoch, Scope};
use crate::log::{Cause, Truncated};
use crate::panic::{catch_unwind, log_entry};
use crate::session::delivery_path::DeliveryPath;
use crate::session::queued_event::EventHandle;
use crate::session::send_queue::EnqueueOutcome;
use crate::session::session::Session;
use crate::sync::atomic::Ordering;
use crate::transport::EventFrame;

impl<C: Consumer> Session<C> {
    /// Reads what the delivery of an event to this session depends on, so that the memory of several members is fetched at
    /// the same time.
    #[inline]
    pub(crate) fn fast_path_view(&self) -> FastPathView<'_, C::User> {
        // The epoch is read first: a reader that sees the epoch of a change also sees `has_deferred` set.
        let epoch = self.send_queue.epoch();
        let is_fast = !self.has_deferred.load(Ordering::SeqCst) && !self.is_renewed.load(Ordering::SeqCst);
        FastPathView { epoch, scope: self.initial_scope.get().filter(|_| is_fast) }
    }

    /// Delivers an event as [`deliver`](Self::deliver) does, on the state that `view` has read. Does not wait.
    #[inline]
    pub(crate) fn deliver_fast<E>(
        self: &Arc<Self>,
        view: &FastPathView<'_, C::User>,
        publication: &Arc<Publication<E>>,
        path: DeliveryPath<'_>,
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

    /// Delivers an event if the subscriber may see it, or defers it if grants must be loaded first or earlier events are
    /// deferred. Does not wait.
    pub(crate) fn deliver<E>(
        self: &Arc<Self>,
        publication: &Arc<Publication<E>>,
        path: DeliveryPath<'_>,
    ) -> DeliveryOutcome
    where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        // Read before the scope and `has_deferred`, for the reason given in `fast_path_view`.
        let epoch = self.send_queue.epoch();
        let Some(scope) = self.scope() else { return DeliveryOutcome::Done };
        // Events keep their order, so an event that follows a deferred one is deferred too.
        if self.has_deferred.load(Ordering::SeqCst) {
            return self.defer(publication, path);
        }
        self.authorize_and_enqueue(&scope, publication, path, epoch)
    }

    /// Authorizes an event in `epoch` and enqueues it.
    #[inline]
    fn authorize_and_enqueue<E>(
        self: &Arc<Self>,
        scope: &Scope<C::User>,
        publication: &Arc<Publication<E>>,
        path: DeliveryPath<'_>,
        epoch: Epoch,
    ) -> DeliveryOutcome
    where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        match self.authorize_event(&Subscriber::new(scope), publication) {
            Some(false) => DeliveryOutcome::Refused,
            Some(true) => match self.enqueue(scope, publication, path, epoch) {
                EnqueueOutcome::Enqueued | EnqueueOutcome::EnqueuedForFlusher | EnqueueOutcome::Discarded => {
                    DeliveryOutcome::Done
                }
                EnqueueOutcome::Stale | EnqueueOutcome::PathChanged => self.defer(publication, path),
                EnqueueOutcome::Unverified => self.hold(publication, path),
            },
            None => self.defer(publication, path),
        }
    }

    /// Defers an event to the revalidator. It is counted once it is settled.
    #[cold]
    fn defer<E>(self: &Arc<Self>, publication: &Arc<Publication<E>>, path: DeliveryPath<'_>) -> DeliveryOutcome
    where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        self.push_deferred(publication.handle(self, path));
        DeliveryOutcome::Done
    }

    /// Lets an event wait until the permission of its group has been evaluated again.
    #[cold]
    fn hold<E>(self: &Arc<Self>, publication: &Arc<Publication<E>>, path: DeliveryPath<'_>) -> DeliveryOutcome
    where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        self.push_held(publication.handle(self, path));
        DeliveryOutcome::Done
    }

    /// Evaluates the event's permission. `None` if grants must be loaded first. A panic refuses the event.
    pub(crate) fn authorize_event<E>(
        &self,
        subscriber: &Subscriber<'_, C::User>,
        publication: &Publication<E>,
    ) -> Option<bool>
    where
        C: Emits<E>,
    {
        let event = publication.event();
        catch_unwind(|| self.consumer.authorize_event(subscriber, event)).unwrap_or_else(|panic| {
            self.registry.telemetry.record_failure();
            let cause = Cause::new(&panic.message());
            let (event, permission) = (<C as Emits<E>>::NAME, <C as Emits<E>>::PERMISSION);
            let user = self.user_id().map(Truncated::new);
            log_entry!(ERROR, ?user, event, %permission, ?cause, "event refused: permission panicked");
            Some(false)
        })
    }

    /// Enqueues an event that was authorized in `epoch`.
    fn enqueue<E>(
        self: &Arc<Self>,
        scope: &Scope<C::User>,
        publication: &Arc<Publication<E>>,
        path: DeliveryPath<'_>,
        epoch: Epoch,
    ) -> EnqueueOutcome
    where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        self.build_frame(scope, publication, path, |frame, handle, frame_version| {
            // The discarded handles are dropped here, where no lock is held.
            let (outcome, _) = self.send_queue.enqueue(frame, handle, epoch, frame_version, || {
                // Events that waited for a group's permission may have been deferred since this delivery began.
                if self.has_deferred.load(Ordering::Relaxed) { Err(EnqueueOutcome::Stale) } else { path.version() }
            });
            self.pass_to_flusher(outcome)
        })
    }

    /// Encodes the frame for this session and enqueues it. Encodes it again if what it shows of the delivery path changes
    /// before it is enqueued.
    pub(crate) fn build_frame<E>(
        &self,
        scope: &Scope<C::User>,
        publication: &Arc<Publication<E>>,
        path: DeliveryPath<'_>,
        enqueue: impl Fn(EventFrame, EventHandle<Session<C>>, u64) -> EnqueueOutcome,
    ) -> EnqueueOutcome
    where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        loop {
            let frame_version = match path.version() {
                Ok(version) => version,
                Err(outcome) => return outcome,
            };
            let Some(frame) = publication.frame(self, scope, path) else { return EnqueueOutcome::Discarded };
            match enqueue(frame, publication.handle(self, path), frame_version) {
                EnqueueOutcome::PathChanged => {}
                outcome => return outcome,
            }
        }
    }

    /// Enqueues a deferred event that was authorized in `epoch` and removes it from the revalidator in one step, so that a
    /// change of rights recalls it either from there or from the send queue.
    pub(crate) fn enqueue_deferred<E>(
        self: &Arc<Self>,
        scope: &Scope<C::User>,
        publication: &Arc<Publication<E>>,
        path: DeliveryPath<'_>,
        epoch: Epoch,
    ) -> EnqueueOutcome
    where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        let outcome = self.build_frame(scope, publication, path, |frame, handle, frame_version| {
            self.enqueue_in_progress(frame, handle, epoch, frame_version, || path.version())
        });
        if outcome == EnqueueOutcome::Unverified {
            self.hold_in_progress(path, epoch);
        }
        outcome
    }
}

/// What the delivery of an event to one session depends on.
pub(crate) struct FastPathView<'a, U> {
    epoch: Epoch,
    /// The scope, if no event is deferred and the user has not been replaced.
    scope: Option<&'a Scope<U>>,
}

impl<U> FastPathView<'_, U> {
    /// Fetches the memory that permissions will read.
    #[inline]
    pub(crate) fn prefetch(&self) {
        if let Some(scope) = self.scope {
            scope.prefetch();
        }
    }
}

/// What became of an event at one session, as far as it is known at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeliveryOutcome {
    /// The event's permission does not hold.
    Refused,
    /// The event is enqueued, deferred or discarded.
    Done,
}
