//! One event on its way to everybody who may see it: what is the same for all of them is made once.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};

use futures_util::future::BoxFuture;
use tokio::time::timeout;

use super::event::{Emits, Frame, Seeing};
use super::hub::Membership;
use super::mailbox::Put;
use super::seat::Seat;
use crate::consumer::Consumer;
use crate::error::Result;
use crate::scope::Scope;

/// An event that was published.
pub(crate) struct Published<E> {
    pub(super) event: E,
    /// Found out once somebody may see it.
    shared: OnceLock<Shared>,
}

/// Whether the frame is the same for everybody.
enum Shared {
    No,
    /// Nothing where it could not be made.
    Yes(Option<Frame>),
}

impl<E> Published<E> {
    pub(super) fn new(event: E) -> Arc<Published<E>> {
        Arc::new(Published { event, shared: OnceLock::new() })
    }

    /// The frame for one of them.
    pub(super) fn frame<C: Emits<E>>(&self, consumer: &C, scope: &Scope<C::User>) -> Option<Frame> {
        let shared = self.shared.get_or_init(|| match made::<C, E>(|| consumer.shared(&self.event)) {
            Made::Nothing => Shared::No,
            Made::Frame(frame) => Shared::Yes(Some(frame)),
            Made::Failed => Shared::Yes(None),
        });
        match shared {
            Shared::Yes(frame) => frame.clone(),
            Shared::No => match made::<C, E>(|| consumer.personal(scope, &self.event)) {
                Made::Frame(frame) => Some(frame),
                Made::Nothing | Made::Failed => None,
            },
        }
    }
}

enum Made {
    Nothing,
    Frame(Frame),
    Failed,
}

/// Makes a frame. What goes wrong concerns nobody but those who would have got it.
fn made<C: Emits<E>, E>(make: impl FnOnce() -> Option<Result<Frame>>) -> Made {
    match catch_unwind(AssertUnwindSafe(make)) {
        Ok(None) => Made::Nothing,
        Ok(Some(Ok(frame))) => Made::Frame(frame),
        Ok(Some(Err(error))) => {
            tracing::error!(event = <C as Emits<E>>::NAME, cause = %error, "an event could not be made");
            Made::Failed
        }
        Err(_) => {
            tracing::error!(event = <C as Emits<E>>::NAME, "an event's method panicked");
            Made::Failed
        }
    }
}

/// What it takes to ask about an event once more: the event, and the membership that it comes by.
pub(crate) struct Note<C: Consumer> {
    event: Arc<dyn Askable<C>>,
    by: Option<Arc<Membership<C>>>,
}

impl<C: Consumer> Note<C> {
    pub(super) fn new<E>(event: Arc<Published<E>>, by: Option<Arc<Membership<C>>>) -> Note<C>
    where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        Note { event, by }
    }

    /// Asks about it, waiting for grants, and delivers it where that is a yes. `Stale`: the grants have changed meanwhile.
    pub(super) async fn settle(&self, seat: &Arc<Seat<C>>, epoch: u64) -> Put {
        self.event.clone().settle(seat, self.by.as_ref(), epoch).await
    }
}

impl<C: Consumer> Clone for Note<C> {
    fn clone(&self) -> Self {
        Note { event: self.event.clone(), by: self.by.clone() }
    }
}

trait Askable<C: Consumer>: Send + Sync {
    fn settle<'s>(
        self: Arc<Self>,
        seat: &'s Arc<Seat<C>>,
        by: Option<&'s Arc<Membership<C>>>,
        epoch: u64,
    ) -> BoxFuture<'s, Put>;
}

impl<C: Consumer + Emits<E>, E: Send + Sync + 'static> Askable<C> for Published<E> {
    fn settle<'s>(
        self: Arc<Self>,
        seat: &'s Arc<Seat<C>>,
        by: Option<&'s Arc<Membership<C>>>,
        epoch: u64,
    ) -> BoxFuture<'s, Put> {
        Box::pin(async move {
            let Some(scope) = seat.scope() else { return Put::Done };
            let mut seeing = Seeing::new(&**scope);
            loop {
                if seat.mailbox.epoch() != epoch {
                    return Put::Stale;
                }
                match seat.looks(&seeing, &self.event) {
                    Some(true) => return seat.hand_over(scope, &self, by, epoch),
                    Some(false) => return Put::Done,
                    None => {}
                }
                match timeout(seat.time, seeing.load()).await {
                    // What is known now may be forgotten by the time it is looked at; each round has waited for the source.
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => {
                        tracing::error!(event = <C as Emits<E>>::NAME, cause = %error, "refused: grants could not be loaded");
                        return Put::Done;
                    }
                    Err(_) => {
                        tracing::error!(event = <C as Emits<E>>::NAME, "refused: grants took too long");
                        return Put::Done;
                    }
                }
            }
        })
    }
}
