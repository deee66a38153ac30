//! When the steps take place: readiness, the notice, and a drain that is started again.

use std::time::Duration;

use portcullis::testing::{Client, connect};
use portcullis::{Drain, Endpoint};
use tokio::time::{Instant, advance, sleep, timeout};

use super::{AT_ONCE, DRAIN, Harbour, figures, harbour, open};

const HOUR: Duration = Duration::from_hours(1);

async fn open_many(harbour: &Endpoint<Harbour>, count: u32) -> Vec<Client> {
    let mut clients = Vec::new();
    for id in 0..count {
        clients.push(open(harbour, id).await);
    }
    clients
}

/// Returns the times at which the connections are closed, in milliseconds, sorted.
async fn close_times(clients: Vec<Client>, start: Instant) -> Vec<u128> {
    let closes = clients.into_iter().map(async |mut client| {
        assert_eq!(client.closed().await, 1012);
        start.elapsed().as_millis()
    });
    let mut times = futures_util::future::join_all(closes).await;
    times.sort_unstable();
    times
}

#[tokio::test(start_paused = true)]
async fn readiness_is_off_during_the_notice_while_upgrades_are_accepted() {
    let (_, harbour) = harbour();
    let drain = harbour.drain_handle();
    assert!(drain.is_ready() && drain.readiness() == 200);
    let mut early = open(&harbour, 1).await;
    drain.start(DRAIN);
    assert!(!drain.is_ready() && drain.readiness() == 503);
    advance(Duration::from_millis(4_990)).await;
    let mut late = open(&harbour, 2).await;
    assert_eq!(early.call("ping").await.status(), 200);
    sleep(Duration::from_millis(20)).await;
    assert_eq!(connect(&harbour).open().await.unwrap_err().status(), 503);
    assert_eq!((early.closed().await, late.closed().await), (1012, 1012));
    assert_eq!(figures(drain.finished().await), [2, 2, 0]);
    assert!(!drain.is_ready(), "it stays drained");
    assert_eq!(connect(&harbour).open().await.unwrap_err().status(), 503);
}

#[tokio::test(start_paused = true)]
async fn endpoint_without_connections_is_drained_after_the_notice() {
    let (_, harbour) = harbour();
    let (drain, start) = (harbour.drain_handle(), Instant::now());
    drain.start(DRAIN);
    assert_eq!(figures(drain.finished().await), [0, 0, 0]);
    assert_eq!(start.elapsed().as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn clone_of_an_endpoint_is_drained_with_it() {
    let (_, harbour) = harbour();
    let mut client = open(&harbour.clone(), 1).await;
    harbour.drain_handle().start(AT_ONCE);
    assert_eq!(client.closed().await, 1012);
    assert_eq!(connect(&harbour.clone()).open().await.unwrap_err().status(), 503);
}

#[tokio::test(start_paused = true)]
async fn second_start_shortens_each_step() {
    let (_, harbour) = harbour();
    let clients = open_many(&harbour, 100).await;
    let (drain, start) = (harbour.drain_handle(), Instant::now());
    drain.start(Drain { notice: HOUR, window: HOUR, deadline: 3 * HOUR });
    advance(Duration::from_secs(1)).await;
    drain.start(Drain { notice: Duration::from_secs(1), window: Duration::from_secs(10), deadline: 2 * HOUR });
    let times = close_times(clients, start).await;
    for (index, time) in times.iter().enumerate() {
        let expected = 2_000 + 100 * index as u128;
        assert!((expected..=expected + 2).contains(time), "{index}: {times:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn second_start_in_the_window_closes_the_rest_at_a_higher_rate() {
    let (_, harbour) = harbour();
    let clients = open_many(&harbour, 100).await;
    let (drain, start) = (harbour.drain_handle(), Instant::now());
    drain.start(Drain { notice: Duration::ZERO, window: Duration::from_secs(100), deadline: HOUR });
    let second = async {
        // 50 are closed, and the next one is due 950 ms later.
        sleep(Duration::from_millis(49_050)).await;
        // A notice is not repeated.
        drain.start(Drain { notice: HOUR, window: Duration::from_secs(5), deadline: HOUR });
    };
    let (times, ()) = tokio::join!(close_times(clients, start), second);
    for (index, time) in times.iter().enumerate() {
        let index = index as u128;
        let expected = if index < 50 { 1_000 * index } else { 49_050 + 100 * (index - 50) };
        assert!((expected..=expected + 2).contains(time), "{index}: {times:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn second_start_delays_nothing() {
    let (state, harbour) = harbour();
    let mut client = open(&harbour, 1).await;
    client.send(super::message("wait", "first"));
    state.started(1).await;
    let (drain, start) = (harbour.drain_handle(), Instant::now());
    drain.start(DRAIN);
    for elapsed in [0, 4, 6, 20] {
        tokio::time::sleep_until(start + Duration::from_secs(elapsed)).await;
        drain.start(Drain { notice: HOUR, window: HOUR, deadline: 3 * HOUR });
        if elapsed == 4 {
            assert!(timeout(Duration::from_millis(900), client.closed()).await.is_err());
        }
    }
    assert_eq!(figures(drain.finished().await), [1, 0, 1]);
    assert_eq!(start.elapsed().as_secs(), 25);
}

#[tokio::test(start_paused = true)]
async fn window_ends_at_the_deadline() {
    let (_, harbour) = harbour();
    let clients = open_many(&harbour, 100).await;
    let (drain, start) = (harbour.drain_handle(), Instant::now());
    drain.start(Drain { notice: Duration::from_secs(1), window: HOUR, deadline: Duration::from_secs(11) });
    let times = close_times(clients, start).await;
    for (index, time) in times.iter().enumerate() {
        let expected = 1_000 + 100 * index as u128;
        assert!((expected..=expected + 2).contains(time), "{index}: {times:?}");
    }
    assert_eq!(figures(drain.finished().await), [100, 100, 0]);
}

#[tokio::test(start_paused = true)]
async fn longest_times_are_no_overflow() {
    let (_, harbour) = harbour();
    let mut client = open(&harbour, 1).await;
    let drain = harbour.drain_handle();
    drain.start(Drain { notice: Duration::MAX, window: Duration::MAX, deadline: Duration::MAX });
    assert_eq!(client.call("ping").await.status(), 200);
    drain.start(Drain { window: Duration::MAX, ..AT_ONCE });
    assert_eq!(client.closed().await, 1012, "the only connection is closed at the beginning of the window");
}

#[tokio::test(start_paused = true)]
async fn drain_continues_without_its_handles() {
    let (state, harbour) = harbour();
    let mut client = open(&harbour, 1).await;
    let drain = harbour.drain_handle();
    drain.start(DRAIN);
    assert!(timeout(Duration::from_secs(1), drain.finished()).await.is_err());
    drop((drain, harbour));
    assert_eq!(client.closed().await, 1012);
    state.disconnected.notified().await;
}
