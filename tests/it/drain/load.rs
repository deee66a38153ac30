//! Many connections under load: closed at a constant rate, each once, and nothing is lost.

use std::time::Duration;

use portcullis::testing::{Client, connect};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::{DRAIN, figures, harbour};
use crate::common::member;

const CONNECTIONS: usize = 2_000;

/// Sends messages until the connection is closed. Returns when that was, and the code and the reason.
async fn load_until_closed(mut client: Client, number: usize, start: Instant) -> (Duration, u16, String) {
    let millis = 300 + number as u64 * 7 % 1_000;
    loop {
        client.send(format!(r#"{{"action":"load","millis":{millis}}}"#));
        if let Ok(code) = timeout(Duration::from_millis(500), client.closed()).await {
            return (start.elapsed(), code, client.close_reason().unwrap().to_owned());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn connections_under_load_are_closed_at_a_constant_rate_and_nothing_is_lost() {
    let (state, harbour) = harbour();
    let mut clients = Vec::new();
    for id in 0..CONNECTIONS {
        let id = u32::try_from(id).unwrap();
        clients.push(connect(&harbour).user(member(id, &[])).open().await.unwrap());
    }
    let (drain, start) = (harbour.drain_handle(), Instant::now());
    let mut closes = JoinSet::new();
    for (number, client) in clients.into_iter().enumerate() {
        closes.spawn(load_until_closed(client, number, start));
    }
    sleep(Duration::from_millis(100)).await;
    drain.start(DRAIN);
    let mut per_second = [0; 10];
    while let Some(close) = closes.join_next().await {
        let (elapsed, code, reason) = close.unwrap();
        assert_eq!((code, reason.as_str()), (1012, "service restart"));
        let since_window = elapsed.checked_sub(Duration::from_millis(5_100)).expect("closed before the window");
        per_second[usize::try_from(since_window.as_secs()).unwrap()] += 1;
    }
    let expected = CONNECTIONS / per_second.len();
    assert!(per_second.iter().all(|&count| expected.abs_diff(count) <= 2), "{per_second:?}");
    let report = drain.finished().await;
    assert_eq!(figures(report), [CONNECTIONS, CONNECTIONS, 0]);
    let [begun, ended, disconnected] = state.counts();
    assert!(begun > CONNECTIONS, "each has begun several actions");
    assert_eq!((ended, disconnected), (begun, CONNECTIONS));
}

/// Clients that leave by themselves are not waited for, and are in the report.
#[tokio::test(start_paused = true)]
async fn client_that_leaves_during_the_window_is_counted_once() {
    let (state, harbour) = harbour();
    let mut clients = Vec::new();
    for id in 0..10 {
        clients.push(super::open(&harbour, id).await);
    }
    let drain = harbour.drain_handle();
    let start = Instant::now();
    drain.start(DRAIN);
    // The first leaves before the window.
    drop(clients.pop());
    sleep(Duration::from_millis(5_500)).await;
    drop(clients);
    assert_eq!(figures(drain.finished().await), [9, 9, 0]);
    assert_eq!(start.elapsed().as_secs(), 5, "the window ends with the last connection");
    assert_eq!(state.counts()[2], 10);
}
