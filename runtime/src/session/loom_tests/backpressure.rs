//! A publisher, a connection or a handle, waits for a reader that dequeues events, stalls or ends.

use std::future::poll_fn;
use std::sync::Arc;

use loom::future::block_on;

use super::{LIMITS, OverflowPolicy, READ, SendQueue, Server, Session, deliver, drain, explore, finish, spawn};
use crate::context::ConnectionId;
use crate::session::backpressure::{HANDLE_PACER, PACER, Pacer};
use crate::transport::CloseReason;

/// Returns a session whose send queue is more than half full with two events.
fn session_with_small_queue(server: &Server) -> Arc<Session<super::Room>> {
    let send_queue = SendQueue::new(2, 99, OverflowPolicy::Close, server.registry.telemetry.clone());
    let id = ConnectionId::random().unwrap();
    let session = Session::new(&server.registry, id, Arc::new(server.room), send_queue, LIMITS, None);
    let scope = server.scope();
    assert!(block_on(scope.may_with(READ, &[])).unwrap());
    session.establish(scope);
    session
}

/// Publishes two events by a handle in the task of a connection.
fn publish(session: &Arc<Session<super::Room>>, connection: &Arc<Pacer>, handle: &Arc<Pacer>) {
    let publish = || (1..=2).for_each(|number| deliver(session, number));
    PACER.sync_scope(connection.clone(), || HANDLE_PACER.sync_scope(handle.clone(), publish));
}

/// Publishes two events and waits until no reader holds the connection and the handle. A lost release shows as a deadlock,
/// because the time limit of the wait never expires.
fn publish_and_wait(session: &Arc<Session<super::Room>>) {
    let (connection, handle) = (Pacer::new(), Pacer::new());
    publish(session, &connection, &handle);
    for pacer in [&connection, &handle] {
        if pacer.is_held() {
            block_on(pacer.ready());
        }
        assert!(!pacer.is_held());
    }
}

/// Dequeues two events.
fn read(session: &Arc<Session<super::Room>>) {
    let mut all = Vec::new();
    while all.len() < 2 {
        block_on(poll_fn(|cx| session.send_queue.poll(cx))).unwrap();
        all.extend(drain(session));
    }
    assert_eq!(all, [1, 2]);
}

/// Two threads: the reader and the publisher.
#[test]
fn publisher_is_released_when_the_reader_has_run() {
    explore(4, || {
        let server = Server::new(false);
        let session = session_with_small_queue(&server);
        let publisher = spawn({
            let session = session.clone();
            move || publish_and_wait(&session)
        });
        read(&session);
        publisher();
        assert!(finish(&session).is_empty());
    });
}

/// Three threads: the reader, and two tasks that wait for the same handle.
#[test]
fn all_tasks_that_wait_for_a_handle_are_released() {
    explore(3, || {
        let server = Server::new(false);
        let session = session_with_small_queue(&server);
        let handle = Pacer::new();
        publish(&session, &Pacer::new(), &handle);
        let waiting = [(); 2].map(|()| {
            let handle = handle.clone();
            spawn(move || block_on(handle.ready()))
        });
        read(&session);
        waiting.into_iter().for_each(|waiting| waiting());
        assert!(!handle.is_held());
        assert!(finish(&session).is_empty());
    });
}

/// Two threads: a reader that stalls or ends, and the publisher.
#[test]
fn publisher_is_released_when_the_reader_stalls_or_ends() {
    for ends in [true, false] {
        explore(4, move || {
            let server = Server::new(false);
            let session = session_with_small_queue(&server);
            let publisher = spawn({
                let session = session.clone();
                move || publish_and_wait(&session)
            });
            if ends {
                session.close_with(CloseReason::Revoked);
            } else {
                session.send_queue.stall();
            }
            publisher();
            finish(&session);
        });
    }
}
