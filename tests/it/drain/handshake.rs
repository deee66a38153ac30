//! Handshakes that a drain meets: none is left behind, whatever it has reached.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use portcullis::testing::connect;
use portcullis::{Drain, Result};
use tokio::sync::Semaphore;
use tokio::task::yield_now;
use tokio::time::{Instant, advance, timeout};

use super::{AT_ONCE, DRAIN, Member, Parts, figures, harbour, member};

/// The handshake is accepted, and nothing of the connection has run when closing begins.
#[tokio::test(start_paused = true)]
async fn accepted_connection_that_is_not_registered_yet_is_closed() {
    let (state, harbour) = harbour();
    let drain = harbour.drain_handle();
    // Its task runs before that of the connection.
    drain.start(AT_ONCE);
    let mut client = connect(&harbour).user(member(1, &["slow"])).open().await.unwrap();
    assert_eq!(client.closed().await, 1012);
    assert_eq!(figures(drain.finished().await), [1, 1, 0]);
    assert!(state.log().is_empty(), "neither hook has run");
}

#[tokio::test(start_paused = true)]
async fn connection_whose_connect_hook_runs_is_closed_when_it_has_ended() {
    let (state, harbour) = harbour();
    let mut client = connect(&harbour).user(member(1, &["slow"])).open().await.unwrap();
    client.send(super::message("note", "never"));
    state.started(1).await;
    let drain = harbour.drain_handle();
    drain.start(DRAIN);
    advance(Duration::from_secs(20)).await;
    assert!(timeout(Duration::from_millis(1), drain.finished()).await.is_err(), "the drain waits for the hook");
    state.resume(1);
    assert_eq!(client.closed().await, 1012);
    assert_eq!(figures(drain.finished().await), [1, 1, 0]);
    assert_eq!(state.log(), ["connect begins", "connect ends", "disconnected: 1012, left Some(1)"]);
}

#[tokio::test(start_paused = true)]
async fn connect_hook_over_the_deadline_is_cut() {
    let (state, harbour) = harbour();
    let mut client = connect(&harbour).user(member(1, &["slow"])).open().await.unwrap();
    state.started(1).await;
    let (drain, start) = (harbour.drain_handle(), Instant::now());
    drain.start(DRAIN);
    assert_eq!(client.closed().await, 1012);
    assert_eq!(start.elapsed().as_secs(), 25);
    assert_eq!(figures(drain.finished().await), [1, 0, 1]);
    assert_eq!(
        state.log(),
        ["connect begins", "connect is dropped"],
        "`#[disconnect]` belongs to a `#[connect]` that succeeded"
    );
}

/// Rights have changed during the handshake, so that the connection waits for its connect permission.
#[tokio::test(start_paused = true)]
async fn connection_that_is_revalidated_first_is_closed_in_the_window() {
    let (state, harbour) = harbour();
    let mut client = connect(&harbour).user(member(1, &["slow"])).open().await.unwrap();
    state.started(1).await;
    assert!(harbour.connections().refresh_user("1").await.is_acknowledged());
    state.is_denied.store(true, Ordering::SeqCst);
    state.resume(1);
    state.started(1).await;
    let (drain, start) = (harbour.drain_handle(), Instant::now());
    drain.start(DRAIN);
    assert_eq!(client.closed().await, 1012);
    assert_eq!(figures(drain.finished().await), [1, 1, 0], "nothing was cut");
    assert!(start.elapsed() < Duration::from_secs(8), "the revalidation ends with the connection");
}

/// The checks of a handshake wait, for example for a database, while closing begins.
#[tokio::test(start_paused = true)]
async fn handshake_in_progress_is_rejected_and_not_waited_for() {
    let (checking, checked) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let gates = (checking.clone(), checked.clone());
    let authenticate = move |_: &Parts| {
        let (checking, checked) = gates.clone();
        async move {
            checking.add_permits(1);
            checked.acquire().await.unwrap().forget();
            Result::<Option<Member>>::Ok(None)
        }
    };
    let harbour = harbour().1.authenticate(authenticate);
    let handshake = tokio::spawn({
        let harbour = harbour.clone();
        async move { connect(&harbour).open().await.map(drop) }
    });
    checking.acquire().await.unwrap().forget();
    let drain = harbour.drain_handle();
    drain.start(Drain::NOW);
    assert_eq!(figures(drain.finished().await), [0, 0, 0]);
    checked.add_permits(1);
    assert_eq!(handshake.await.unwrap().unwrap_err().status(), 503);
}

/// The moments at which closing begins are all those between two steps of the handshakes and connections.
#[tokio::test]
async fn no_connection_survives_whenever_closing_begins() {
    for steps in 0..40 {
        let (state, harbour) = harbour();
        let drain = harbour.drain_handle();
        let opening: Vec<_> = (0..20)
            .map(|id| {
                let harbour = harbour.clone();
                tokio::spawn(async move {
                    for _ in 0..id {
                        yield_now().await;
                    }
                    let mut client = connect(&harbour).user(member(id, &[])).open().await.map_err(|_| ())?;
                    Ok::<u16, ()>(client.closed().await)
                })
            })
            .collect();
        for _ in 0..steps {
            yield_now().await;
        }
        drain.start(AT_ONCE);
        let mut closed = 0;
        for client in opening {
            if let Ok(code) = client.await.unwrap() {
                assert_eq!(code, 1012);
                closed += 1;
            }
        }
        assert_eq!(figures(drain.finished().await), [closed, closed, 0], "{steps} steps");
        assert!(state.counts()[2] <= closed);
    }
}
