//! Starts of actions, while their caller's rights change or the session ends.

use std::sync::Arc;

use loom::future::block_on;

use super::{READ, Room, Session, World, explore, forget, rest, spawn};
use crate::context::StartOutcome;
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::transport::CloseCode;

/// Evaluates the permission of an action and starts it, as a dispatched message does. Whether it starts after the change has
/// returned.
fn start(seat: &Session<Room>, has_returned: &AtomicBool) -> bool {
    let gate = seat.mailbox.gate();
    let evaluation_epoch = gate.epoch();
    let Some(scope) = seat.scope() else { return false };
    let is_permitted = block_on(scope.may_with(READ, &[])).unwrap();
    let mut is_late = false;
    if is_permitted {
        gate.try_start(Some(evaluation_epoch), || is_late = has_returned.load(Ordering::SeqCst));
    }
    is_late
}

/// Spawns a thread that starts two actions, one after the other.
fn spawn_starts(seat: &Arc<Session<Room>>, has_returned: &Arc<AtomicBool>) -> impl FnOnce() {
    let (seat, has_returned) = (seat.clone(), has_returned.clone());
    spawn(move || {
        for _ in 0..2 {
            assert!(!start(&seat, &has_returned), "started on old rights");
        }
    })
}

/// Three threads: the change, the starts, and the revalidator.
#[test]
fn action_does_not_start_after_a_change_that_refuses_it() {
    for is_known in [true, false] {
        explore(3, move || {
            let world = World::new(false);
            let seat = world.seated(is_known);
            let has_returned = Arc::new(AtomicBool::new(false));
            let starts = spawn_starts(&seat, &has_returned);
            world.table.revoke();
            // As `Connections::refresh` does it. It returns no earlier than this.
            let change = seat.change(|| forget(&seat));
            has_returned.store(true, Ordering::SeqCst);
            block_on(change.through());
            starts();
            rest(&seat);
        });
    }
}

/// Three threads: the change, the starts, and the revalidator.
#[test]
fn action_of_a_replaced_user_does_not_start_after_the_change() {
    explore(3, || {
        let world = World::new(false);
        let seat = world.seated(true);
        let has_returned = Arc::new(AtomicBool::new(false));
        let starts = spawn_starts(&seat, &has_returned);
        let other = Arc::new(seat.scope().unwrap().renewed(super::Member { staff: false }).unwrap());
        let change = seat.change(|| seat.set_scope(other));
        has_returned.store(true, Ordering::SeqCst);
        block_on(change.through());
        starts();
        rest(&seat);
    });
}

/// Two threads: the end, by the server or of the connection, and the starts.
#[test]
fn action_does_not_start_after_the_session_has_ended() {
    for by_server in [true, false] {
        explore(4, move || {
            let world = World::new(false);
            let seat = world.seated(true);
            let has_returned = Arc::new(AtomicBool::new(false));
            let starts = spawn_starts(&seat, &has_returned);
            if by_server {
                seat.end(CloseCode::Revoked);
            } else {
                seat.leave_all();
            }
            has_returned.store(true, Ordering::SeqCst);
            starts();
            rest(&seat);
        });
    }
}

/// Three threads: the change, a start, and the revalidator. A start that is evaluated in the current epoch is admitted.
#[test]
fn action_starts_if_a_change_leaves_its_rights() {
    explore(3, || {
        let world = World::new(false);
        let seat = world.seated(true);
        let starts = spawn({
            let seat = seat.clone();
            move || {
                let gate = seat.mailbox.gate();
                // As `Dispatcher::answer` does it: the evaluation is done again until it is not overtaken.
                loop {
                    let evaluation_epoch = gate.epoch();
                    assert!(block_on(seat.scope().unwrap().may_with(READ, &[])).unwrap());
                    if gate.try_start(Some(evaluation_epoch), || ()) == StartOutcome::Authorized {
                        break;
                    }
                }
            }
        });
        block_on(seat.change(|| forget(&seat)).through());
        starts();
        rest(&seat);
    });
}
