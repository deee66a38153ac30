//! Changes of grants, while events are on their way.

use std::future::poll_fn;
use std::sync::Arc;

use loom::future::block_on;

use super::{Member, Room, Session, World, explore, forget, offer, rest, spawn, taken};
use crate::sync::atomic::{AtomicBool, Ordering};

/// Five threads: the change, the publisher, the reader, a worker for the change and one for the event.
#[test]
fn nothing_is_taken_after_a_change_that_it_refuses() {
    explore(2, || {
        let world = World::new(false);
        let seat = world.seated(true);
        let publisher = spawn({
            let seat = seat.clone();
            move || offer(&seat, 1)
        });
        let changed = Arc::new(AtomicBool::new(false));
        let reader = spawn({
            let (seat, changed) = (seat.clone(), changed.clone());
            move || {
                let after = changed.load(Ordering::SeqCst);
                let taken = taken(&seat);
                assert!(!after || taken.is_empty(), "taken on old grants: {taken:?}");
            }
        });
        world.table.revoke();
        let change = seat.change(|| forget(&seat));
        changed.store(true, Ordering::SeqCst);
        block_on(change.through());
        publisher();
        reader();
        assert!(rest(&seat).is_empty(), "put in on old grants");
    });
}

/// Four threads: the change, the reader, and two workers. The event waits for grants when the change comes.
#[test]
fn nor_where_it_is_being_asked_about() {
    explore(3, || {
        let world = World::new(false);
        let seat = world.seated(false);
        offer(&seat, 1);
        let changed = Arc::new(AtomicBool::new(false));
        let reader = spawn({
            let (seat, changed) = (seat.clone(), changed.clone());
            move || {
                let after = changed.load(Ordering::SeqCst);
                let taken = taken(&seat);
                assert!(!after || taken.is_empty(), "taken on old grants: {taken:?}");
            }
        });
        world.table.revoke();
        let change = seat.change(|| forget(&seat));
        changed.store(true, Ordering::SeqCst);
        block_on(change.through());
        reader();
        assert!(rest(&seat).is_empty(), "put in on old grants");
    });
}

/// Four threads: the change, the publisher, and two workers.
#[test]
fn nor_where_somebody_else_sits_there_since() {
    explore(3, || {
        let world = World::new(false);
        let seat = world.seated(true);
        let publisher = spawn({
            let seat = seat.clone();
            move || offer(&seat, 1)
        });
        // As `Session::renew` does it.
        let other = Arc::new(seat.scope().unwrap().renewed(Member { staff: false }).unwrap());
        let change = seat.change(|| seat.set_scope(other));
        assert!(taken(&seat).is_empty(), "taken on old grants");
        block_on(change.through());
        publisher();
        assert!(rest(&seat).is_empty(), "put in on old grants");
    });
}

/// Five threads: the reader, the publisher, the change, and two workers.
#[test]
fn an_event_is_taken_once_all_the_same() {
    explore(2, || {
        let world = World::new(false);
        let seat = world.seated(true);
        let publisher = spawn({
            let seat = seat.clone();
            move || offer(&seat, 1)
        });
        let changer = spawn({
            let seat = seat.clone();
            move || drop(seat.change(|| forget(&seat)))
        });
        assert_eq!(read(&seat, 1), [1]);
        publisher();
        changer();
        assert!(rest(&seat).is_empty(), "taken twice");
    });
}

/// Two threads: the reader and the publisher.
#[test]
fn who_takes_one_at_a_time_is_woken_for_each() {
    explore(4, || {
        let world = World::new(false);
        let seat = world.seated(true);
        let publisher = spawn({
            let seat = seat.clone();
            move || (1..=2).for_each(|number| offer(&seat, number))
        });
        let mut all = Vec::new();
        while all.len() < 2 {
            // As `ConnectionIo::deliver_one` does it.
            block_on(poll_fn(|cx| seat.mailbox.poll(cx))).unwrap();
            if let Some(taken) = seat.mailbox.take_before(u64::MAX).unwrap() {
                all.extend(taken.frame.bytes());
            }
        }
        assert_eq!(all, [1, 2]);
        publisher();
        assert!(rest(&seat).is_empty(), "taken twice");
    });
}

/// Five threads: the change, which reads then, the publisher, and a worker for each of the events and the change.
#[test]
fn the_order_of_a_publisher_is_kept() {
    for known in [true, false] {
        explore(2, move || {
            let world = World::new(false);
            let seat = world.seated(known);
            let publisher = spawn({
                let seat = seat.clone();
                move || (1..=2).for_each(|number| offer(&seat, number))
            });
            let mut all = taken(&seat);
            let change = seat.change(|| forget(&seat));
            block_on(change.through());
            let more = 2 - all.len();
            all.extend(read(&seat, more));
            assert_eq!(all, [1, 2]);
            publisher();
            assert!(rest(&seat).is_empty(), "taken twice");
        });
    }
}

/// Waits for so many events, as `ConnectionIo::next` and `ConnectionIo::deliver` do.
fn read(seat: &Session<Room>, events: usize) -> Vec<u8> {
    let mut all = Vec::new();
    while all.len() < events {
        block_on(poll_fn(|cx| seat.mailbox.poll(cx))).unwrap();
        let place = seat.mailbox.place().unwrap();
        while let Some(taken) = seat.mailbox.take_before(place).unwrap() {
            all.extend(taken.frame.bytes());
        }
    }
    all
}
