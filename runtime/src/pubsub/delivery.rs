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
    pub(crate) fn glance(&self) -> FastPathView<'_, C::User> {
        // The epoch first: who reads that of a change sees below that the change is under way.
        let epoch = self.mailbox.epoch();
        let plain = !self.is_late.load(Ordering::SeqCst) && !self.is_renewed.load(Ordering::SeqCst);
        FastPathView { epoch, scope: self.first.get().filter(|_| plain) }
    }

    /// Gives an event to whoever sits here and may see it, as they were at that glance. Nothing waits for them.
    #[inline]
    pub(crate) fn offer_at<E>(
        self: &Arc<Self>,
        glance: &FastPathView<'_, C::User>,
        published: &Arc<Publication<E>>,
        way: DeliveryPath<'_, C>,
    ) -> DeliveryOutcome
    where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        match glance.scope {
            Some(scope) => self.ask(scope, published, way, glance.epoch),
            None => self.offer(published, way),
        }
    }

    /// The same as they are now.
    pub(crate) fn offer<E>(
        self: &Arc<Self>,
        published: &Arc<Publication<E>>,
        way: DeliveryPath<'_, C>,
    ) -> DeliveryOutcome
    where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        // Read first, for the same reason.
        let epoch = self.mailbox.epoch();
        let Some(scope) = self.scope() else { return DeliveryOutcome::Done };
        // What comes after an event that waits has to wait too.
        if self.is_late.load(Ordering::SeqCst) {
            return self.wait(published, way);
        }
        self.ask(&scope, published, way, epoch)
    }

    /// Asks whether they may see it, and gives it to them.
    #[inline]
    fn ask<E>(
        self: &Arc<Self>,
        scope: &Scope<C::User>,
        published: &Arc<Publication<E>>,
        way: DeliveryPath<'_, C>,
        epoch: u64,
    ) -> DeliveryOutcome
    where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        match self.looks(&Subscriber::new(scope), published) {
            Some(false) => DeliveryOutcome::Refused,
            Some(true) => match self.send(scope, published, way, epoch) {
                EnqueueOutcome::In | EnqueueOutcome::Gone => DeliveryOutcome::Done,
                EnqueueOutcome::Stale | EnqueueOutcome::Changed => self.wait(published, way),
            },
            None => self.wait(published, way),
        }
    }

    /// It waits, and is counted when it is settled.
    #[cold]
    fn wait<E>(self: &Arc<Self>, published: &Arc<Publication<E>>, way: DeliveryPath<'_, C>) -> DeliveryOutcome
    where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        self.lag(published.note(self, way));
        DeliveryOutcome::Done
    }

    /// Whether they may see it. A panic is a no.
    pub(crate) fn looks<E>(&self, seeing: &Subscriber<'_, C::User>, published: &Publication<E>) -> Option<bool>
    where
        C: Emits<E>,
    {
        let event = published.event();
        catch_unwind(|| self.consumer.may_see(seeing, event)).unwrap_or_else(|panic| {
            let cause = Cause::new(&panic.message());
            tracing::error!(event = <C as Emits<E>>::NAME, ?cause, "event refused: permission panicked");
            self.hub.counts.failed();
            Some(false)
        })
    }

    /// Puts it into the mailbox, as it was asked about in that epoch.
    fn send<E>(
        &self,
        scope: &Scope<C::User>,
        published: &Arc<Publication<E>>,
        way: DeliveryPath<'_, C>,
        epoch: u64,
    ) -> EnqueueOutcome
    where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        self.make(scope, published, way, |frame, note, seen| {
            // What is not wanted any more is dropped here: nothing is locked.
            let (put, _) = self.mailbox.put(frame, note, epoch, seen, || way.standing());
            put
        })
    }

    /// Makes the frame for whoever sits here, and again while what it shows of its way changes before it is put in.
    pub(crate) fn make<E>(
        &self,
        scope: &Scope<C::User>,
        published: &Arc<Publication<E>>,
        way: DeliveryPath<'_, C>,
        put: impl Fn(Text, EventHandle<C>, u64) -> EnqueueOutcome,
    ) -> EnqueueOutcome
    where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        loop {
            let Some(seen) = way.standing() else { return EnqueueOutcome::Gone };
            let Some(frame) = published.frame(self, scope, way) else { return EnqueueOutcome::Gone };
            match put(frame, published.note(self, way), seen) {
                EnqueueOutcome::Changed => {}
                put => return put,
            }
        }
    }

    /// Puts in what was asked about; from then on no change takes it back from here.
    pub(crate) fn hand_over<E>(
        &self,
        scope: &Scope<C::User>,
        published: &Arc<Publication<E>>,
        way: DeliveryPath<'_, C>,
        epoch: u64,
    ) -> EnqueueOutcome
    where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        self.make(scope, published, way, |frame, note, seen| {
            let mut late = self.lock_late();
            let (put, unwanted) = self.mailbox.put(frame, note, epoch, seen, || way.standing());
            let done =
                if matches!(put, EnqueueOutcome::In | EnqueueOutcome::Gone) { late.current.take() } else { None };
            drop(late);
            // Not under the lock: an event may run its own code when it is dropped.
            drop((done, unwanted));
            put
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
    pub(crate) fn fetch(&self) {
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
