//! Sessions that connect, join, leave and end, while events and changes of rights are delivered.

use std::sync::{Arc, Mutex};

use loom::future::block_on;

use super::{Lobby, Room, Server, Session, drain, explore, finish, forget_grants, spawn};
use crate::consumer::Consumer;
use crate::context::ConnectContext;
use crate::pubsub::outgoing_event::OutgoingEvent;
use crate::session::Connections;
use crate::transport::CloseReason;
use crate::transport::ConnectionEnd;

/// Three threads: the leaving session, the publisher, and the revalidator unless grants are loaded.
#[test]
fn event_of_a_left_group_is_not_delivered_after_the_reply() {
    for is_loaded in [true, false] {
        explore(3, move || {
            let server = Server::new(false);
            let session = server.connected_session(is_loaded);
            server.join(&session);
            let publisher = spawn({
                let server = server.clone();
                move || (1..=2).for_each(|number| server.publish(number, true))
            });
            // As `Connection::commit_effects` does it.
            session.memberships.remove(&Lobby);
            let sequence = session.send_queue.next_sequence().unwrap();
            let mut before = Vec::new();
            while let Some(dequeued) = session.send_queue.dequeue_before(sequence).unwrap() {
                before.extend(dequeued.frame.text().bytes());
            }
            assert!(before.is_empty() || before == [1] || before == [1, 2], "{before:?}");
            publisher();
            assert!(finish(&session).is_empty(), "event delivered after the reply");
        });
    }
}

/// Three threads: the last member, which leaves, a session that joins and leaves, and one that joins.
#[test]
fn join_during_the_removal_of_the_emptied_group_is_kept() {
    explore(3, || {
        let server = Server::new(false);
        let [last, passing, joining] = [(); 3].map(|()| server.connected_session(true));
        server.join(&last);
        let passes = spawn({
            let (server, passing) = (server.clone(), passing.clone());
            move || {
                server.join(&passing);
                passing.memberships.remove(&Lobby);
            }
        });
        let joins = spawn({
            let (server, joining) = (server.clone(), joining.clone());
            move || server.join(&joining)
        });
        last.memberships.remove(&Lobby);
        passes();
        joins();
        server.publish(1, false);
        assert_eq!(finish(&joining), [1], "join lost");
        assert!(finish(&last).is_empty() && finish(&passing).is_empty(), "leave lost");
        assert!(server.registry.group_table::<Lobby>().members(&Lobby).is_none(), "emptied group stays in the table");
    });
}

/// Four threads: the change, the publisher, and two revalidator tasks.
#[test]
fn group_event_is_not_delivered_after_group_permission_is_revoked() {
    // Three take minutes, and have found nothing that two do not.
    explore(2, || {
        let server = Server::new(false);
        let session = server.connected_session(true);
        server.join(&session);
        let publisher = spawn({
            let server = server.clone();
            move || server.publish(1, false)
        });
        server.table.revoke();
        block_on(session.begin_revalidation(|| forget_grants(&session)).wait());
        assert!(drain(&session).is_empty(), "event delivered by a revoked membership");
        publisher();
        assert!(finish(&session).is_empty(), "event enqueued by a revoked membership");
    });
}

/// Five threads: the change, which then publishes, the joining session, and three revalidator tasks.
#[test]
fn membership_added_during_a_change_is_revalidated() {
    // Three take minutes, and have found nothing that two do not.
    explore(2, || {
        let server = Server::new(false);
        let session = server.connected_session(true);
        let joiner = spawn({
            let session = session.clone();
            move || {
                block_on(session.authorize_and_join(Lobby));
            }
        });
        server.table.revoke();
        block_on(session.begin_revalidation(|| forget_grants(&session)).wait());
        server.publish(1, false);
        assert!(drain(&session).is_empty(), "event delivered by a revoked membership");
        joiner();
        session.runtime.finish();
        assert!(!session.memberships.is_member(&Lobby, None), "membership outlives its permission");
        assert!(finish(&session).is_empty(), "event enqueued by a revoked membership");
    });
}

/// Five threads: the change, which then publishes, the handshake, and three revalidator tasks.
#[test]
fn handshake_during_a_change_is_closed_or_revalidated() {
    explore(3, || {
        let server = Server::new(true);
        let (result, handshake) = spawn_handshake(&server);
        server.table.revoke();
        let refresh = Connections::new(server.registry.clone()).refresh_user("7");
        assert!(block_on(refresh.revalidated()).is_acknowledged());
        server.registry.publish_to_user(
            "7",
            OutgoingEvent::new(&*server.registry, super::Message { number: 1, is_secret: true }, false),
        );
        handshake();
        let result = result.lock().unwrap().take();
        if let Some((session, _)) = result {
            assert_eq!(
                session.send_queue.next_sequence(),
                Err(ConnectionEnd::Close(CloseReason::Revoked)),
                "session established on old grants"
            );
            assert!(finish(&session).is_empty());
        }
    });
}

/// Three threads: the disconnect, the handshake, and its revalidator.
#[test]
fn handshake_during_disconnect_user_is_closed() {
    explore(3, || {
        let server = Server::new(true);
        let (result, handshake) = spawn_handshake(&server);
        let connections = Connections::new(server.registry.clone());
        assert!(block_on(connections.disconnect_user("7")).is_acknowledged());
        handshake();
        let result = result.lock().unwrap().take();
        if let Some((session, changes_at_start)) = result {
            // A handshake that began after the disconnect is a new connection, and may stay.
            let ended = session.send_queue.next_sequence() == Err(ConnectionEnd::Close(CloseReason::Revoked));
            assert!(ended || changes_at_start > 0, "session of a disconnected user stays");
            assert!(finish(&session).is_empty());
        }
    });
}

/// The session that was established, and the number of the latest change when its handshake began.
type HandshakeResult = Arc<Mutex<Option<(Arc<Session<Room>>, u64)>>>;

/// Spawns a handshake, as `Endpoint::admit` and `Connection::on_connect` do it, of a client that does not read yet.
fn spawn_handshake(server: &Server) -> (HandshakeResult, impl FnOnce()) {
    let result = HandshakeResult::default();
    let (server, connected_session) = (server.clone(), result.clone());
    let handshake = spawn(move || {
        let changes_at_start = server.registry.change_count();
        let (scope, head) = (server.scope(), ConnectContext::<super::Member>::head());
        if block_on(server.room.authorize_connect(&ConnectContext::new(&scope, &head))).is_err() {
            return;
        }
        let session = server.session();
        session.establish(scope);
        block_on(session.revalidate_since(changes_at_start));
        *connected_session.lock().unwrap() = Some((session, changes_at_start));
    });
    (result, handshake)
}

/// Three threads: the change, which then reads, the publisher, and the revalidator, which evaluates the group's permission
/// while events of the group are published.
#[test]
fn events_keep_their_order_while_the_group_permission_is_evaluated() {
    explore(2, || {
        let server = Server::new(false);
        let session = server.connected_session(true);
        server.join(&session);
        let publisher = spawn({
            let server = server.clone();
            move || (1..=2).for_each(|number| server.publish(number, false))
        });
        block_on(session.begin_revalidation(|| ()).wait());
        publisher();
        let frames = finish(&session);
        assert_eq!(frames, [1, 2], "events lost or out of order");
    });
}

/// Five threads: a change that waits for an evaluation, its task, and two revalidators. The call is dropped after its first
/// poll.
#[test]
fn change_that_waits_takes_effect_if_its_call_is_dropped() {
    explore(3, || {
        let server = Server::new(false);
        let session = server.connected_session(true);
        let evaluation = spawn({
            let server = server.clone();
            move || drop(server.registry.pending_raises.wait_for(9))
        });
        let epoch = session.send_queue.epoch();
        server.table.revoke();
        let mut refresh = Connections::new(server.registry.clone()).refresh_user("7");
        let is_raised = block_on(std::future::poll_fn(|cx| {
            std::task::Poll::Ready(std::pin::Pin::new(&mut refresh).poll(cx).is_ready())
        }));
        assert!(!is_raised || session.send_queue.epoch() != epoch, "call completed before the change");
        drop(refresh);
        evaluation();
        session.runtime.finish();
        assert_ne!(session.send_queue.epoch(), epoch, "change lost");
        server.registry.publish_to_user(
            "7",
            OutgoingEvent::new(&*server.registry, super::Message { number: 1, is_secret: true }, false),
        );
        assert!(finish(&session).is_empty(), "event enqueued on old grants");
    });
}
