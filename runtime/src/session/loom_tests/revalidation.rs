//! Changes of rights, while events are delivered.

use std::future::poll_fn;
use std::sync::Arc;

use loom::future::block_on;

use super::{Member, READ, Room, Server, Session, SharedTable, deliver, drain, explore, finish, forget_grants, spawn};
use crate::grants::GrantCache;
use crate::sync::atomic::{AtomicBool, Ordering};

/// Five threads: the change, the publisher, the reader, a revalidator task for the change and one for the event.
#[test]
fn queued_event_is_not_dequeued_after_revocation() {
    explore(2, || {
        let server = Server::new(false);
        let session = server.connected_session(true);
        let publisher = spawn({
            let session = session.clone();
            move || deliver(&session, 1)
        });
        let changed = Arc::new(AtomicBool::new(false));
        let reader = spawn({
            let (session, changed) = (session.clone(), changed.clone());
            move || {
                let has_changed = changed.load(Ordering::SeqCst);
                let frames = drain(&session);
                assert!(!has_changed || frames.is_empty(), "event dequeued on old grants: {frames:?}");
            }
        });
        server.table.revoke();
        let change = session.begin_revalidation(|| forget_grants(&session));
        changed.store(true, Ordering::SeqCst);
        block_on(change.wait());
        publisher();
        reader();
        assert!(finish(&session).is_empty(), "event enqueued on old grants");
    });
}

/// Four threads: the change, the reader, and two revalidator tasks. The event is deferred when rights change.
#[test]
fn deferred_event_is_dropped_after_revocation() {
    explore(3, || {
        let server = Server::new(false);
        let session = server.connected_session(false);
        deliver(&session, 1);
        let changed = Arc::new(AtomicBool::new(false));
        let reader = spawn({
            let (session, changed) = (session.clone(), changed.clone());
            move || {
                let has_changed = changed.load(Ordering::SeqCst);
                let frames = drain(&session);
                assert!(!has_changed || frames.is_empty(), "event dequeued on old grants: {frames:?}");
            }
        });
        server.table.revoke();
        let change = session.begin_revalidation(|| forget_grants(&session));
        changed.store(true, Ordering::SeqCst);
        block_on(change.wait());
        reader();
        assert!(finish(&session).is_empty(), "event enqueued on old grants");
    });
}

/// Four threads: the change, the publisher, and two revalidator tasks.
#[test]
fn queued_event_is_dropped_after_the_user_is_replaced() {
    explore(3, || {
        let server = Server::new(false);
        let session = server.connected_session(true);
        let publisher = spawn({
            let session = session.clone();
            move || deliver(&session, 1)
        });
        // As `Session::renew` does it.
        let other = Arc::new(session.scope().unwrap().with_user(Member { staff: false }).unwrap());
        let change = session.begin_revalidation(|| session.replace_scope(other));
        assert!(drain(&session).is_empty(), "event dequeued on old grants");
        block_on(change.wait());
        publisher();
        assert!(finish(&session).is_empty(), "event enqueued on old grants");
    });
}

/// Five threads: the reader, the publisher, the change, and two revalidator tasks.
#[test]
fn event_is_delivered_once_during_revalidation() {
    explore(2, || {
        let server = Server::new(false);
        let session = server.connected_session(true);
        let publisher = spawn({
            let session = session.clone();
            move || deliver(&session, 1)
        });
        let changer = spawn({
            let session = session.clone();
            move || drop(session.begin_revalidation(|| forget_grants(&session)))
        });
        assert_eq!(read(&session, 1), [1]);
        publisher();
        changer();
        assert!(finish(&session).is_empty(), "event delivered twice");
    });
}

/// Two threads: the reader and the publisher.
#[test]
fn reader_that_dequeues_one_event_is_woken_for_each() {
    explore(4, || {
        let server = Server::new(false);
        let session = server.connected_session(true);
        let publisher = spawn({
            let session = session.clone();
            move || (1..=2).for_each(|number| deliver(&session, number))
        });
        let mut all = Vec::new();
        while all.len() < 2 {
            // As `ConnectionIo::deliver_one` does it.
            block_on(poll_fn(|cx| session.send_queue.poll(cx))).unwrap();
            if let Some(dequeued) = session.send_queue.dequeue_before(u64::MAX).unwrap() {
                all.extend(dequeued.frame.text().bytes());
            }
        }
        assert_eq!(all, [1, 2]);
        publisher();
        assert!(finish(&session).is_empty(), "event delivered twice");
    });
}

/// Five threads: the change, which then reads, the publisher, and a revalidator task for the events and the change.
#[test]
fn events_of_one_publisher_keep_their_order_during_revalidation() {
    for is_loaded in [true, false] {
        explore(2, move || {
            let server = Server::new(false);
            let session = server.connected_session(is_loaded);
            let publisher = spawn({
                let session = session.clone();
                move || (1..=2).for_each(|number| deliver(&session, number))
            });
            let mut all = drain(&session);
            let change = session.begin_revalidation(|| forget_grants(&session));
            block_on(change.wait());
            let more = 2 - all.len();
            all.extend(read(&session, more));
            assert_eq!(all, [1, 2]);
            publisher();
            assert!(finish(&session).is_empty(), "event delivered twice");
        });
    }
}

/// Two threads: the change, and its revalidator, which waits for the user's turn. Only a check of the current epoch lets a
/// membership deliver again.
#[test]
fn membership_is_not_verified_by_a_check_of_an_earlier_epoch() {
    explore(1, || {
        let server = Server::new(false);
        let session = server.connected_session(true);
        server.join(&session);
        let checks = session.begin_group_checks(0).unwrap();
        let turn = block_on(server.registry.revalidation_turns.acquire("7".to_owned()));
        let change = session.begin_revalidation(|| ());
        block_on(checks);
        let is_unverified = || session.memberships.entries().iter().all(|entry| entry.membership().is_unverified());
        assert!(is_unverified(), "verified by a check of an earlier epoch");
        drop(turn);
        block_on(change.wait());
        session.runtime.finish();
        assert!(!is_unverified(), "not verified by the check of the current epoch");
        assert!(finish(&session).is_empty());
    });
}

/// Three threads: a session that loads, the change of another one that may share the load, and its revalidator.
#[test]
fn shared_load_is_not_used_if_it_began_before_a_change() {
    explore(3, || {
        let mut server = Server::new(false);
        server.cache = GrantCache::new(SharedTable(server.table.clone()));
        let (first, second) = (server.connected_session(false), server.connected_session(false));
        let loader = spawn({
            let first = first.clone();
            move || {
                let scope = first.scope().unwrap();
                assert!(block_on(scope.may_with(READ, &[])).is_ok());
            }
        });
        server.table.revoke();
        drop(second.begin_revalidation(|| forget_grants(&second)));
        let scope = second.scope().unwrap();
        assert!(!block_on(scope.may_with(READ, &[])).unwrap(), "evaluated on a load from before the change");
        loader();
        drop(scope);
        assert!(finish(&second).is_empty() && finish(&first).is_empty());
    });
}

/// Waits for `events` events, as `ConnectionIo::next` and `ConnectionIo::deliver` do.
fn read(session: &Session<Room>, events: usize) -> Vec<u8> {
    let mut all = Vec::new();
    while all.len() < events {
        block_on(poll_fn(|cx| session.send_queue.poll(cx))).unwrap();
        let sequence = session.send_queue.next_sequence().unwrap();
        while let Some(dequeued) = session.send_queue.dequeue_before(sequence).unwrap() {
            all.extend(dequeued.frame.text().bytes());
        }
    }
    all
}
