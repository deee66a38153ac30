//! Changes of grants, while events are on their way.

use std::future::poll_fn;
use std::sync::Arc;

use loom::future::block_on;

use super::{Member, Room, Server, Session, deliver, drain, explore, finish, forget, spawn};
use crate::sync::atomic::{AtomicBool, Ordering};

/// Five threads: the change, the publisher, the reader, a worker for the change and one for the event.
#[test]
fn nothing_is_taken_after_a_change_that_it_refuses() {
    explore(2, || {
        let world = Server::new(false);
        let session = world.connected_session(true);
        let publisher = spawn({
            let session = session.clone();
            move || deliver(&session, 1)
        });
        let changed = Arc::new(AtomicBool::new(false));
        let reader = spawn({
            let (session, changed) = (session.clone(), changed.clone());
            move || {
                let after = changed.load(Ordering::SeqCst);
                let drain = drain(&session);
                assert!(!after || drain.is_empty(), "taken on old grants: {drain:?}");
            }
        });
        world.table.revoke();
        let change = session.begin_revalidation(|| forget(&session));
        changed.store(true, Ordering::SeqCst);
        block_on(change.completed());
        publisher();
        reader();
        assert!(finish(&session).is_empty(), "put in on old grants");
    });
}

/// Four threads: the change, the reader, and two workers. The event waits for grants when the change comes.
#[test]
fn nor_where_it_is_being_asked_about() {
    explore(3, || {
        let world = Server::new(false);
        let session = world.connected_session(false);
        deliver(&session, 1);
        let changed = Arc::new(AtomicBool::new(false));
        let reader = spawn({
            let (session, changed) = (session.clone(), changed.clone());
            move || {
                let after = changed.load(Ordering::SeqCst);
                let drain = drain(&session);
                assert!(!after || drain.is_empty(), "taken on old grants: {drain:?}");
            }
        });
        world.table.revoke();
        let change = session.begin_revalidation(|| forget(&session));
        changed.store(true, Ordering::SeqCst);
        block_on(change.completed());
        reader();
        assert!(finish(&session).is_empty(), "put in on old grants");
    });
}

/// Four threads: the change, the publisher, and two workers.
#[test]
fn nor_where_somebody_else_sits_there_since() {
    explore(3, || {
        let world = Server::new(false);
        let session = world.connected_session(true);
        let publisher = spawn({
            let session = session.clone();
            move || deliver(&session, 1)
        });
        // As `Session::renew` does it.
        let other = Arc::new(session.scope().unwrap().renewed(Member { staff: false }).unwrap());
        let change = session.begin_revalidation(|| session.replace_scope(other));
        assert!(drain(&session).is_empty(), "taken on old grants");
        block_on(change.completed());
        publisher();
        assert!(finish(&session).is_empty(), "put in on old grants");
    });
}

/// Five threads: the reader, the publisher, the change, and two workers.
#[test]
fn an_event_is_taken_once_all_the_same() {
    explore(2, || {
        let world = Server::new(false);
        let session = world.connected_session(true);
        let publisher = spawn({
            let session = session.clone();
            move || deliver(&session, 1)
        });
        let changer = spawn({
            let session = session.clone();
            move || drop(session.begin_revalidation(|| forget(&session)))
        });
        assert_eq!(read(&session, 1), [1]);
        publisher();
        changer();
        assert!(finish(&session).is_empty(), "taken twice");
    });
}

/// Two threads: the reader and the publisher.
#[test]
fn who_takes_one_at_a_time_is_woken_for_each() {
    explore(4, || {
        let world = Server::new(false);
        let session = world.connected_session(true);
        let publisher = spawn({
            let session = session.clone();
            move || (1..=2).for_each(|number| deliver(&session, number))
        });
        let mut all = Vec::new();
        while all.len() < 2 {
            // As `ConnectionIo::deliver_one` does it.
            block_on(poll_fn(|cx| session.send_queue.poll(cx))).unwrap();
            if let Some(drain) = session.send_queue.dequeue_before(u64::MAX).unwrap() {
                all.extend(drain.frame.bytes());
            }
        }
        assert_eq!(all, [1, 2]);
        publisher();
        assert!(finish(&session).is_empty(), "taken twice");
    });
}

/// Five threads: the change, which reads then, the publisher, and a worker for each of the events and the change.
#[test]
fn the_order_of_a_publisher_is_kept() {
    for known in [true, false] {
        explore(2, move || {
            let world = Server::new(false);
            let session = world.connected_session(known);
            let publisher = spawn({
                let session = session.clone();
                move || (1..=2).for_each(|number| deliver(&session, number))
            });
            let mut all = drain(&session);
            let change = session.begin_revalidation(|| forget(&session));
            block_on(change.completed());
            let more = 2 - all.len();
            all.extend(read(&session, more));
            assert_eq!(all, [1, 2]);
            publisher();
            assert!(finish(&session).is_empty(), "taken twice");
        });
    }
}

/// Waits for so many events, as `ConnectionIo::next` and `ConnectionIo::deliver` do.
fn read(session: &Session<Room>, events: usize) -> Vec<u8> {
    let mut all = Vec::new();
    while all.len() < events {
        block_on(poll_fn(|cx| session.send_queue.poll(cx))).unwrap();
        let sequence = session.send_queue.next_sequence().unwrap();
        while let Some(drain) = session.send_queue.dequeue_before(sequence).unwrap() {
            all.extend(drain.frame.bytes());
        }
    }
    all
}
