//! Delivery of one event to one session: authorization, frame and send queue.

use std::sync::Arc;

use super::event::{Emits, Subscriber};
use super::publication::Publication;
use crate::consumer::Consumer;
use crate::context::{Epoch, Scope};
use crate::log::{Cause, Truncated};
use crate::panic::{catch_unwind, log_entry};
use crate::session::delivery_path::DeliveryPath;
use crate::session::queued_event::{EventHandle, FrameAndHandle};
use crate::session::send_queue::EnqueueOutcome;
use crate::session::session::Session;
use crate::sync::atomic::Ordering;

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
            return self.conclude(EnqueueOutcome::Stale, || publication.handle(self, path));
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
        let outcome = match self.authorize_event(&Subscriber::new(scope), publication) {
            Some(false) => return DeliveryOutcome::Refused,
            Some(true) => self.enqueue(path, epoch, || publication.frame_and_handle(self, scope, path)),
            None => EnqueueOutcome::Stale,
        };
        self.conclude(outcome, || publication.handle(self, path))
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

    /// Enqueues an event that was authorized in `epoch`, unless earlier events are deferred. `frame` returns its frame, or `None`
    /// if there is none for this session.
    #[inline]
    pub(super) fn enqueue(
        self: &Arc<Self>,
        path: DeliveryPath<'_>,
        epoch: Epoch,
        frame: impl Fn() -> Option<FrameAndHandle<Session<C>>>,
    ) -> EnqueueOutcome {
        enqueue_current(path, frame, |(frame, handle), frame_version| {
            // The discarded handles are dropped here, where no lock is held.
            let (outcome, _) = self.send_queue.enqueue(frame, handle, epoch, frame_version, || {
                // Events that waited for a group's permission may have been deferred since this delivery began.
                if self.has_deferred.load(Ordering::Relaxed) { Err(EnqueueOutcome::Stale) } else { path.version() }
            });
            self.pass_to_flusher(outcome)
        })
    }

    /// Enqueues a deferred event that was authorized in `epoch` and removes it from the revalidator in one step, so that a
    /// change of rights recalls it either from there or from the send queue.
    pub(super) fn enqueue_deferred(
        self: &Arc<Self>,
        path: DeliveryPath<'_>,
        epoch: Epoch,
        frame: impl Fn() -> Option<FrameAndHandle<Session<C>>>,
    ) -> EnqueueOutcome {
        let outcome = enqueue_current(path, frame, |(frame, handle), frame_version| {
            self.enqueue_in_progress(frame, handle, epoch, frame_version, || path.version())
        });
        if outcome == EnqueueOutcome::Unverified {
            self.hold_in_progress(path, epoch);
        }
        outcome
    }

    /// Defers an event that could not be enqueued to the revalidator, or lets it wait until the permission of its group has
    /// been evaluated again. It is counted once it is settled.
    #[inline]
    pub(super) fn conclude(
        self: &Arc<Self>,
        outcome: EnqueueOutcome,
        handle: impl FnOnce() -> EventHandle<Session<C>>,
    ) -> DeliveryOutcome {
        match outcome {
            EnqueueOutcome::Enqueued | EnqueueOutcome::EnqueuedForFlusher | EnqueueOutcome::Discarded => {}
            EnqueueOutcome::Stale | EnqueueOutcome::PathChanged => self.push_deferred(handle()),
            EnqueueOutcome::Unverified => self.push_held(handle()),
        }
        DeliveryOutcome::Done
    }
}

/// Enqueues a frame, and builds another one if what it shows of the delivery path changes before it is enqueued.
#[inline]
fn enqueue_current<C: Consumer>(
    path: DeliveryPath<'_>,
    frame: impl Fn() -> Option<FrameAndHandle<Session<C>>>,
    enqueue: impl Fn(FrameAndHandle<Session<C>>, u64) -> EnqueueOutcome,
) -> EnqueueOutcome {
    loop {
        let frame_version = match path.version() {
            Ok(version) => version,
            Err(outcome) => return outcome,
        };
        let Some(frame) = frame() else { return EnqueueOutcome::Discarded };
        match enqueue(frame, frame_version) {
            EnqueueOutcome::PathChanged => {}
            outcome => return outcome,
        }
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
