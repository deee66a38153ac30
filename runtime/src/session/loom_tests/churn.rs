//! Who comes and goes, while events and changes are on their way.

use std::sync::{Arc, Mutex};

use loom::future::block_on;

use super::{Lobby, Room, Session, World, explore, forget, rest, spawn, taken};
use crate::consumer::Consumer;
use crate::context::ConnectContext;
use crate::panic::Contained;
use crate::session::Connections;
use crate::session::send_queue::Ended;
use crate::transport::CloseCode;

/// Three threads: who leaves, the publisher, and a worker where grants are not `known`.
#[test]
fn nothing_of_a_group_that_was_left_is_taken_behind_that_place() {
    for known in [true, false] {
        explore(3, move || {
            let world = World::new(false);
            let seat = world.seated(known);
            world.enter(&seat);
            let publisher = spawn({
                let world = world.clone();
                move || (1..=2).for_each(|number| world.publish(number, true))
            });
            // As `Connection::caused` does it.
            seat.part(&Lobby);
            let place = seat.mailbox.place().unwrap();
            let mut before = Vec::new();
            while let Some(taken) = seat.mailbox.take_before(place).unwrap() {
                before.extend(taken.frame.bytes());
            }
            assert!(before.is_empty() || before == [1] || before == [1, 2], "{before:?}");
            publisher();
            assert!(rest(&seat).is_empty(), "it came behind the reply");
        });
    }
}

/// Four threads: the change, the publisher, and two workers.
#[test]
fn nothing_of_a_group_is_taken_once_a_change_that_refuses_it_is_through() {
    explore(3, || {
        let world = World::new(false);
        let seat = world.seated(true);
        world.enter(&seat);
        let publisher = spawn({
            let world = world.clone();
            move || world.publish(1, false)
        });
        world.table.revoke();
        block_on(seat.change(|| forget(&seat)).through());
        assert!(taken(&seat).is_empty(), "taken by a group that it may not be in");
        publisher();
        assert!(rest(&seat).is_empty(), "put in by a group that it may not be in");
    });
}

/// Five threads: the change, which publishes then, who joins, and three workers.
#[test]
fn who_was_let_into_a_group_before_a_change_is_asked_again() {
    explore(3, || {
        let world = World::new(false);
        let seat = world.seated(true);
        let joiner = spawn({
            let seat = seat.clone();
            move || {
                block_on(seat.let_in(Lobby));
            }
        });
        world.table.revoke();
        block_on(seat.change(|| forget(&seat)).through());
        world.publish(1, false);
        assert!(taken(&seat).is_empty(), "taken by a group that it may not be in");
        joiner();
        seat.runtime.finish();
        assert!(!seat.is_in(&Lobby, None), "it stays in the group");
        assert!(rest(&seat).is_empty(), "put in by a group that it may not be in");
    });
}

/// Five threads: the change, which publishes then, the door, and three workers.
#[test]
fn a_change_finds_who_is_at_the_door_or_is_seen_by_them() {
    explore(3, || {
        let world = World::new(true);
        let (come, door) = at_the_door(&world);
        world.table.revoke();
        block_on(Connections::new(world.hub.clone()).refresh_user("7"));
        world.hub.publish_to_user("7", Contained::new(super::Said { number: 1, is_secret: true }));
        door();
        let come = come.lock().unwrap().take();
        if let Some((seat, _)) = come {
            assert_eq!(seat.mailbox.place(), Err(Ended(CloseCode::Revoked)), "they stay on old grants");
            assert!(rest(&seat).is_empty());
        }
    });
}

/// Three threads: who disconnects, the door, and its worker.
#[test]
fn who_is_disconnected_at_the_door_does_not_stay() {
    explore(3, || {
        let world = World::new(true);
        let (come, door) = at_the_door(&world);
        Connections::new(world.hub.clone()).disconnect_user("7");
        door();
        let come = come.lock().unwrap().take();
        if let Some((seat, asked_at)) = come {
            // Whom the door asks about since then has come again, and may stay.
            let ended = seat.mailbox.place() == Err(Ended(CloseCode::Revoked));
            assert!(ended || asked_at > 0, "they stay");
            assert!(rest(&seat).is_empty());
        }
    });
}

/// Who has come in, and when the door began to ask.
type Come = Arc<Mutex<Option<(Arc<Session<Room>>, u64)>>>;

/// Somebody comes in, as `Endpoint::admit` and `Connection::connected` let them, and reads nothing yet.
fn at_the_door(world: &World) -> (Come, impl FnOnce()) {
    let come = Come::default();
    let (world, seated) = (world.clone(), come.clone());
    let door = spawn(move || {
        let asked_at = world.hub.changes();
        let (scope, head) = (world.scope(), ConnectContext::<super::Member>::head());
        if block_on(world.room.authorize_connect(&ConnectContext::new(&scope, &head))).is_err() {
            return;
        }
        let seat = world.seat();
        seat.take(scope);
        block_on(seat.catch_up_with(asked_at));
        *seated.lock().unwrap() = Some((seat, asked_at));
    });
    (come, door)
}
