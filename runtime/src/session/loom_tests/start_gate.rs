//! Starts of actions, while the rights of their caller change or the session ends.

use std::sync::Arc;

use loom::future::block_on;

use super::{READ, Room, Server, Session, explore, finish, forget_grants, spawn};
use crate::context::StartOutcome;
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::transport::CloseReason;

/// Evaluates the permission of an action and starts it, as dispatch does. Returns whether it started after the change
/// returned.
fn start(session: &Session<Room>, has_returned: &AtomicBool) -> bool {
    let gate = session.send_queue.start_gate();
    let evaluation_epoch = gate.epoch();
    let Some(scope) = session.scope() else { return false };
    let is_permitted = block_on(scope.may_with(READ, &[])).unwrap();
    let mut started_late = false;
    if is_permitted {
        gate.try_start(Some(evaluation_epoch), || started_late = has_returned.load(Ordering::SeqCst));
    }
    started_late
}

/// Spawns a thread that starts two actions, one after the other.
fn spawn_starts(session: &Arc<Session<Room>>, has_returned: &Arc<AtomicBool>) -> impl FnOnce() {
    let (session, has_returned) = (session.clone(), has_returned.clone());
    spawn(move || {
        for _ in 0..2 {
            assert!(!start(&session, &has_returned), "started on old rights");
        }
    })
}

/// Three threads: the change, the starts, and the revalidator.
#[test]
fn action_does_not_start_after_a_change_that_refuses_it() {
    for is_loaded in [true, false] {
        explore(3, move || {
            let server = Server::new(false);
            let session = server.connected_session(is_loaded);
            let has_returned = Arc::new(AtomicBool::new(false));
            let starts = spawn_starts(&session, &has_returned);
            server.table.revoke();
            // As `Connections::refresh` does it. It returns no earlier than this.
            let change = session.begin_revalidation(|| forget_grants(&session));
            has_returned.store(true, Ordering::SeqCst);
            block_on(change.wait());
            starts();
            finish(&session);
        });
    }
}

/// Three threads: the change, the starts, and the revalidator.
#[test]
fn action_of_a_replaced_user_does_not_start_after_the_change() {
    explore(3, || {
        let server = Server::new(false);
        let session = server.connected_session(true);
        let has_returned = Arc::new(AtomicBool::new(false));
        let starts = spawn_starts(&session, &has_returned);
        let other = Arc::new(session.scope().unwrap().with_user(super::Member { staff: false }).unwrap());
        let change = session.begin_revalidation(|| session.replace_scope(other));
        has_returned.store(true, Ordering::SeqCst);
        block_on(change.wait());
        starts();
        finish(&session);
    });
}

/// Two threads: the end of the session, by the server or by the connection, and the starts.
#[test]
fn action_does_not_start_after_the_session_has_ended() {
    for by_server in [true, false] {
        explore(4, move || {
            let server = Server::new(false);
            let session = server.connected_session(true);
            let has_returned = Arc::new(AtomicBool::new(false));
            let starts = spawn_starts(&session, &has_returned);
            if by_server {
                session.close_with(CloseReason::Revoked);
            } else {
                session.leave_registry();
            }
            has_returned.store(true, Ordering::SeqCst);
            starts();
            finish(&session);
        });
    }
}

/// Up to three threads: the peer ends the connection and the messages that were read start, while the server disconnects the
/// session or changes its rights, and the revalidator.
#[test]
fn lingering_session_starts_nothing_after_a_change_that_refuses_it() {
    for disconnects in [true, false] {
        explore(3, move || {
            let server = Server::new(false);
            let session = server.connected_session(true);
            let has_returned = Arc::new(AtomicBool::new(false));
            let starts = spawn({
                let (session, has_returned) = (session.clone(), has_returned.clone());
                move || {
                    session.end(true);
                    for _ in 0..2 {
                        assert!(!start(&session, &has_returned), "started on old rights");
                    }
                }
            });
            if disconnects {
                session.close_with(CloseReason::Revoked);
                has_returned.store(true, Ordering::SeqCst);
            } else {
                server.table.revoke();
                let change = session.begin_revalidation(|| forget_grants(&session));
                has_returned.store(true, Ordering::SeqCst);
                block_on(change.wait());
            }
            starts();
            finish(&session);
        });
    }
}

/// Three threads: the change, a start, and the revalidator. A start that is evaluated in the current epoch is admitted.
#[test]
fn action_starts_if_a_change_leaves_its_rights() {
    explore(3, || {
        let server = Server::new(false);
        let session = server.connected_session(true);
        let starts = spawn({
            let session = session.clone();
            move || {
                let gate = session.send_queue.start_gate();
                // As `Dispatcher::dispatch` does it: the permission is evaluated again until no change comes between.
                loop {
                    let evaluation_epoch = gate.epoch();
                    assert!(block_on(session.scope().unwrap().may_with(READ, &[])).unwrap());
                    if gate.try_start(Some(evaluation_epoch), || ()) == StartOutcome::Admitted {
                        break;
                    }
                }
            }
        });
        block_on(session.begin_revalidation(|| forget_grants(&session)).wait());
        starts();
        finish(&session);
    });
}
