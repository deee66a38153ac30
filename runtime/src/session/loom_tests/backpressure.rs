//! A publishing connection waits for a reader that dequeues events, stalls or ends.

use std::future::poll_fn;
use std::sync::Arc;

use loom::future::block_on;

use super::{LIMITS, OverflowPolicy, READ, SendQueue, Server, Session, deliver, drain, explore, finish, spawn};
use crate::context::ConnectionId;
use crate::session::backpressure::{PACER, Pacer};
use crate::transport::CloseCode;

/// Returns a session whose send queue is more than half full with two events.
fn session_with_small_queue(server: &Server) -> Arc<Session<super::Room>> {
    let send_queue = SendQueue::new(2, 99, OverflowPolicy::Close, server.registry.counters().clone());
    let id = ConnectionId::random().unwrap();
    let session = Session::new(&server.registry, id, Arc::new(server.room), send_queue, LIMITS);
    let scope = server.scope();
    assert!(block_on(scope.may_with(READ, &[])).unwrap());
    session.establish(scope);
    session
}

/// Publishes two events and waits until no reader holds the publisher. A lost release shows as a deadlock.
fn publish_and_wait(session: &Arc<Session<super::Room>>) {
    let pacer = Pacer::new();
    PACER.sync_scope(pacer.clone(), || (1..=2).for_each(|number| deliver(session, number)));
    if pacer.is_held() {
        block_on(pacer.ready());
    }
    assert!(!pacer.is_held());
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
        let mut all = Vec::new();
        while all.len() < 2 {
            block_on(poll_fn(|cx| session.send_queue.poll(cx))).unwrap();
            all.extend(drain(&session));
        }
        publisher();
        assert_eq!(all, [1, 2]);
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
                session.close_with(CloseCode::Revoked);
            } else {
                session.send_queue.stall();
            }
            publisher();
            finish(&session);
        });
    }
}
