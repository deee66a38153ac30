//! A task that keeps the rights of a session, and that ends or panics where no check contains it, leaves the session closed
//! or revalidated.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::runtime::{Builder, Runtime};
use tokio::time::{sleep, timeout};

use super::current_scope::CurrentScope;
use super::delivery_path::{DeliveryPath, OwnedDeliveryPath};
use super::membership::{GroupSlot, Membership};
use super::memberships::MembershipEntry;
use super::queued_event::{EventHandle, QueuedEvent};
use super::send_queue::EnqueueOutcome;
use super::*;
use crate::consumer::{ActionFn, Consumer, ConsumerBlock, Dispatch, HandlerDescriptor};
use crate::context::{ActionRates, ConnectContext, ConnectionId, Epoch, Scope};
use crate::error::{Error, Result};
use crate::message::RequestId;
use crate::transport::{CloseReason, ConnectionEnd};

const MAX_AGE: Duration = Duration::from_mins(1);

/// A consumer whose connect permission takes forever while `hangs`.
#[derive(Default)]
struct House {
    hangs: AtomicBool,
}

impl Dispatch for House {
    type BlockUser = ();
    type Block = ConsumerBlock;

    const DESCRIPTOR: &'static HandlerDescriptor = &HandlerDescriptor::EMPTY;
    const ACTION_FNS: &'static [ActionFn<Self>] = &[];
}

impl Consumer for House {
    const NAME: &'static str = "House";

    async fn authorize_connect(&self, _: &ConnectContext<'_, ()>) -> Result<()> {
        if self.hangs.load(Ordering::SeqCst) { std::future::pending().await } else { Ok(()) }
    }
}

/// A membership whose permission refuses, and that panics when it ends.
struct Trap(Arc<Membership>);

impl MembershipEntry<House> for Trap {
    fn is_group(&self, _: &dyn Any) -> bool {
        true
    }

    fn is_held_by(&self, _: Option<&RequestId>) -> bool {
        true
    }

    fn slot_count(&self) -> usize {
        1
    }

    fn hold(&self, _: Option<RequestId>, _: GroupSlot) {}

    fn release(&self, _: Option<&RequestId>) -> bool {
        true
    }

    fn membership(&self) -> &Arc<Membership> {
        &self.0
    }

    fn authorize_member<'a>(&'a self, _: &'a House, _: &'a Scope<()>, _: Duration) -> BoxFuture<'a, Result<()>> {
        Box::pin(async { Err(Error::denied()) })
    }

    fn group_type(&self) -> &'static str {
        "Trap"
    }

    fn leave(&self) {
        panic!("a membership that panics")
    }

    fn add_user(&self, _: CurrentScope<'_, ()>, _: Epoch) {}

    fn group(&self) -> &dyn Any {
        &()
    }
}

/// An event whose evaluation panics.
struct Torn;

impl QueuedEvent<Session<House>> for Torn {
    fn has_equal_key(&self, _: &(dyn QueuedEvent<Session<House>> + 'static)) -> bool {
        false
    }

    fn settle<'s>(
        self: Arc<Self>,
        _: &'s Arc<Session<House>>,
        _: DeliveryPath<'s>,
        _: Epoch,
    ) -> BoxFuture<'s, EnqueueOutcome> {
        Box::pin(async { panic!("an event that panics") })
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
}

/// Returns a session of the current runtime that is in the registry.
fn establish() -> Arc<Session<House>> {
    let registry = Arc::new(SessionRegistry::<House>::new(Arc::default(), ActionRates::default()));
    let limits = SessionLimits {
        max_groups: 9,
        max_present_users: 9,
        max_event_bytes: 99,
        check_timeout: Duration::from_secs(9),
        max_age: Some(MAX_AGE),
    };
    let send_queue = SendQueue::new(9, 99, OverflowPolicy::Close, registry.telemetry.clone());
    let session = Session::new(&registry, ConnectionId::random().unwrap(), Arc::default(), send_queue, limits, None);
    let (parts, ()) = http::Request::new(()).into_parts();
    session.establish(Scope::new(None, parts));
    session
}

fn join(session: &Arc<Session<House>>) {
    let slot = session.memberships.reserve_slot(0).unwrap();
    session.memberships.add(&(), None, slot, |id, slot| Arc::new(Trap(Arc::new(Membership::new(None, 1, id, slot)))));
}

/// Returns whether the session ends with 4500.
fn has_failed(session: &Session<House>) -> bool {
    session.send_queue.next_sequence() == Err(ConnectionEnd::Close(CloseReason::Failed))
}

#[test]
fn revalidation_that_is_dropped_closes_the_session() {
    let runtime = runtime();
    let session = runtime.block_on(async {
        let session = establish();
        session.consumer().hangs.store(true, Ordering::SeqCst);
        let pending = session.begin_revalidation(|| ());
        assert!(timeout(Duration::from_secs(1), pending.wait()).await.is_err());
        session
    });
    assert!(!session.is_closing());
    drop(runtime);
    assert!(has_failed(&session));
}

#[test]
fn group_check_that_panics_closes_the_session() {
    runtime().block_on(async {
        let session = establish();
        join(&session);
        session.begin_revalidation(|| ()).wait().await;
        assert!(has_failed(&session));
    });
}

#[test]
fn deferred_event_that_panics_closes_the_session() {
    runtime().block_on(async {
        let session = establish();
        session.push_deferred(EventHandle::new(Arc::new(Torn), OwnedDeliveryPath::Personal, None));
        session.begin_revalidation(|| ()).wait().await;
        assert!(has_failed(&session));
    });
}

#[test]
fn renewal_that_panics_revalidates_the_session_and_is_followed_by_the_next_one() {
    runtime().block_on(async {
        let session = establish();
        session.schedule_renewal();
        for _ in 0..2 {
            join(&session);
            let epoch = session.send_queue.epoch();
            sleep(MAX_AGE).await;
            assert!(session.send_queue.epoch() != epoch && !session.is_closing());
        }
    });
}

#[test]
fn undo_that_panics_keeps_neither_the_others_nor_the_revalidation() {
    runtime().block_on(async {
        let (session, has_run) = (establish(), Arc::new(AtomicBool::new(false)));
        let (epoch, second) = (session.send_queue.epoch(), has_run.clone());
        session.undo(vec![
            Box::new(|| panic!("a key that panics")),
            Box::new(move || second.store(true, Ordering::SeqCst)),
        ]);
        assert!(has_run.load(Ordering::SeqCst) && session.send_queue.epoch() != epoch && !session.is_closing());
    });
}
