//! Who comes and goes, while events and changes are on their way.

use std::sync::{Arc, Mutex};

use loom::future::block_on;

use super::{Lobby, Room, Server, Session, drain, explore, finish, forget, spawn};
use crate::consumer::Consumer;
use crate::context::ConnectContext;
use crate::panic::Contained;
use crate::session::Connections;
use crate::transport::CloseCode;
use crate::transport::ConnectionEnd;

/// Three threads: who leaves, the publisher, and a worker where grants are not `known`.
#[test]
fn nothing_of_a_group_that_was_left_is_taken_behind_that_place() {
    for known in [true, false] {
        explore(3, move || {
            let world = Server::new(false);
            let session = world.connected_session(known);
            world.join(&session);
            let publisher = spawn({
                let world = world.clone();
                move || (1..=2).for_each(|number| world.publish(number, true))
            });
            // As `Connection::commit_effects` does it.
            session.remove_membership(&Lobby);
            let sequence = session.send_queue.next_sequence().unwrap();
            let mut before = Vec::new();
            while let Some(drain) = session.send_queue.dequeue_before(sequence).unwrap() {
                before.extend(drain.frame.bytes());
            }
            assert!(before.is_empty() || before == [1] || before == [1, 2], "{before:?}");
            publisher();
            assert!(finish(&session).is_empty(), "it came behind the reply");
        });
    }
}

/// Four threads: the change, the publisher, and two workers.
#[test]
fn nothing_of_a_group_is_taken_once_a_change_that_refuses_it_is_through() {
    explore(3, || {
        let world = Server::new(false);
        let session = world.connected_session(true);
        world.join(&session);
        let publisher = spawn({
            let world = world.clone();
            move || world.publish(1, false)
        });
        world.table.revoke();
        block_on(session.begin_revalidation(|| forget(&session)).completed());
        assert!(drain(&session).is_empty(), "taken by a group that it may not be in");
        publisher();
        assert!(finish(&session).is_empty(), "put in by a group that it may not be in");
    });
}

/// Five threads: the change, which publishes then, who joins, and three workers.
#[test]
fn who_was_let_into_a_group_before_a_change_is_asked_again() {
    explore(3, || {
        let world = Server::new(false);
        let session = world.connected_session(true);
        let joiner = spawn({
            let session = session.clone();
            move || {
                block_on(session.join_from_outside(Lobby));
            }
        });
        world.table.revoke();
        block_on(session.begin_revalidation(|| forget(&session)).completed());
        world.publish(1, false);
        assert!(drain(&session).is_empty(), "taken by a group that it may not be in");
        joiner();
        session.runtime.finish();
        assert!(!session.is_member(&Lobby, None), "it stays in the group");
        assert!(finish(&session).is_empty(), "put in by a group that it may not be in");
    });
}

/// Five threads: the change, which publishes then, the door, and three workers.
#[test]
fn a_change_finds_who_is_at_the_door_or_is_seen_by_them() {
    explore(3, || {
        let world = Server::new(true);
        let (come, door) = at_the_door(&world);
        world.table.revoke();
        block_on(Connections::new(world.registry.clone()).refresh_user("7"));
        world.registry.publish_to_user("7", Contained::new(super::Message { number: 1, is_secret: true }));
        door();
        let come = come.lock().unwrap().take();
        if let Some((session, _)) = come {
            assert_eq!(
                session.send_queue.next_sequence(),
                Err(ConnectionEnd::Close(CloseCode::Revoked)),
                "they stay on old grants"
            );
            assert!(finish(&session).is_empty());
        }
    });
}

/// Three threads: who disconnects, the door, and its worker.
#[test]
fn who_is_disconnected_at_the_door_does_not_stay() {
    explore(3, || {
        let world = Server::new(true);
        let (come, door) = at_the_door(&world);
        Connections::new(world.registry.clone()).disconnect_user("7");
        door();
        let come = come.lock().unwrap().take();
        if let Some((session, changes_at_start)) = come {
            // Whom the door asks about since then has come again, and may stay.
            let ended = session.send_queue.next_sequence() == Err(ConnectionEnd::Close(CloseCode::Revoked));
            assert!(ended || changes_at_start > 0, "they stay");
            assert!(finish(&session).is_empty());
        }
    });
}

/// Who has come in, and when the door began to ask.
type Come = Arc<Mutex<Option<(Arc<Session<Room>>, u64)>>>;

/// Somebody comes in, as `Endpoint::admit` and `Connection::on_connect` let them, and reads nothing yet.
fn at_the_door(world: &Server) -> (Come, impl FnOnce()) {
    let come = Come::default();
    let (world, connected_session) = (world.clone(), come.clone());
    let door = spawn(move || {
        let changes_at_start = world.registry.change_count();
        let (scope, head) = (world.scope(), ConnectContext::<super::Member>::head());
        if block_on(world.room.authorize_connect(&ConnectContext::new(&scope, &head))).is_err() {
            return;
        }
        let session = world.session();
        session.establish(scope);
        block_on(session.revalidate_since(changes_at_start));
        *connected_session.lock().unwrap() = Some((session, changes_at_start));
    });
    (come, door)
}
