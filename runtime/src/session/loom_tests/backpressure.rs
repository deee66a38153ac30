//! A connection that publishes waits for a reader, while that reader takes what waits, stalls or ends.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use loom::future::block_on;

use super::{OverflowPolicy, READ, SendQueue, Session, World, explore, offer, rest, spawn, taken};
use crate::session::backpressure::{PACER, Pacer};
use crate::transport::CloseCode;

/// A session in whose queue two events are more than half of what may wait.
fn crowded_by_two(world: &World) -> Arc<Session<super::Room>> {
    let mailbox = SendQueue::new(2, 99, OverflowPolicy::Close, world.hub.counts().clone());
    let seat = Session::new(&world.hub, Arc::new(world.room), mailbox, 9, Duration::from_secs(9));
    let scope = world.scope();
    assert!(block_on(scope.may_with(READ, &[])).unwrap());
    seat.take(scope);
    seat
}

/// Publishes two events and waits until no reader holds the publisher. A release that is lost shows as a deadlock.
fn publish_and_wait(seat: &Arc<Session<super::Room>>) {
    let pacer = Pacer::new();
    PACER.sync_scope(pacer.clone(), || (1..=2).for_each(|number| offer(seat, number)));
    if pacer.is_held() {
        block_on(pacer.ready());
    }
    assert!(!pacer.is_held());
}

/// Two threads: the reader and the publisher.
#[test]
fn publisher_is_released_when_the_reader_has_run() {
    explore(4, || {
        let world = World::new(false);
        let seat = crowded_by_two(&world);
        let publisher = spawn({
            let seat = seat.clone();
            move || publish_and_wait(&seat)
        });
        let mut all = Vec::new();
        while all.len() < 2 {
            block_on(poll_fn(|cx| seat.mailbox.poll(cx))).unwrap();
            all.extend(taken(&seat));
        }
        publisher();
        assert_eq!(all, [1, 2]);
        assert!(rest(&seat).is_empty());
    });
}

/// Two threads: a reader that can take nothing, or ends, and the publisher.
#[test]
fn publisher_is_released_when_the_reader_stalls_or_ends() {
    for ends in [true, false] {
        explore(4, move || {
            let world = World::new(false);
            let seat = crowded_by_two(&world);
            let publisher = spawn({
                let seat = seat.clone();
                move || publish_and_wait(&seat)
            });
            if ends {
                seat.end(CloseCode::Revoked);
            } else {
                seat.mailbox.stall();
            }
            publisher();
            rest(&seat);
        });
    }
}
