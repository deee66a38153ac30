//! How a detached action ends, and how it does with its connection.

use std::time::Duration;

use portcullis::Limits;
use portcullis::testing::connect;
use serde_json::json;
use tokio::time::{Instant, sleep, timeout};

use super::{hall, hall_with, message, open};

#[tokio::test(start_paused = true)]
async fn it_has_a_time_limit_of_its_own() {
    let (house, hall) = hall_with(Limits { action_timeout: Duration::from_secs(10), ..Limits::default() });
    let mut client = open(&hall).await;
    let start = Instant::now();
    client.send(message("aside", 1));
    house.begun(1).await;
    sleep(Duration::from_secs(4)).await;
    client.send(message("aside", 2));
    house.begun(1).await;
    for (n, seconds) in [(1, 10), (2, 14)] {
        let reply = client.reply().await;
        assert_eq!((reply.status(), reply.code(), &reply.value()["request_id"]), (408, "timeout", &json!(n)));
        assert_eq!(start.elapsed(), Duration::from_secs(seconds));
    }
    assert_eq!(house.running(), 0, "they are not only answered but dropped");
    // A check that takes too long is no answer of the application's.
    let reply = client.call("undecided").await;
    assert_eq!((reply.status(), reply.code()), (500, "internal_error"));
}

#[tokio::test(start_paused = true)]
async fn a_stream_has_it_for_each_value() {
    let (house, hall) = hall_with(Limits { action_timeout: Duration::from_secs(10), ..Limits::default() });
    let mut client = open(&hall).await;
    client.send(r#"{"action":"stream","n":1,"count":5,"request_id":1}"#);
    for _ in 0..2 {
        sleep(Duration::from_secs(9)).await;
        house.let_go(1);
        assert_eq!(client.reply().await.value()["last"], false);
    }
    let start = Instant::now();
    let reply = client.reply().await;
    assert_eq!((reply.status(), reply.value()["last"].as_bool()), (408, Some(true)));
    assert_eq!((start.elapsed(), house.running()), (Duration::from_secs(10), 0));
    client.expect_silence().await;
}

#[tokio::test]
async fn one_on_a_thread_of_its_own_is_told_so_too() {
    let (house, hall) = hall_with(Limits { action_timeout: Duration::from_millis(20), ..Limits::default() });
    let mut client = open(&hall).await;
    let mut called = 0;
    // One whose time is over before a thread has come to it does not run at all.
    while house.begun.available_permits() == 0 {
        let reply = client.call("there").with("n", 1).await;
        assert_eq!((reply.status(), reply.code()), (408, "timeout"));
        called += 1;
    }
    // It cannot be stopped, but nobody hears of it any more.
    house.go[1].add_permits(called);
    house.dropped.notified().await;
    assert_eq!(client.call("ping").await.data(), "pong");
    client.expect_silence().await;
}

#[tokio::test(start_paused = true)]
async fn what_goes_wrong_with_it_is_told_as_for_others() {
    let (house, hall) = hall();
    let mut client = open(&hall).await;
    client.send(message("aside", 9));
    house.let_go(20);
    let wanted = [
        ("panics", json!(20), 500, "internal_error"),
        ("fails", json!(20), 409, "conflict"),
        ("denied", json!(20), 403, "permission_denied"),
        ("aside", json!("x"), 400, "invalid_argument"),
    ];
    for (action, n, status, code) in wanted {
        let reply = client.call(action).with("n", n).await;
        assert_eq!((reply.status(), reply.code()), (status, code), "{reply:?}");
        assert!(!reply.text().contains("secret"), "{reply:?}");
    }
    house.let_go(9);
    assert_eq!(client.reply().await.data(), 9, "what runs beside it is not harmed");
}

#[tokio::test(start_paused = true)]
async fn all_end_with_their_connection_and_before_it_is_said_to_be_gone() {
    let (house, hall) = hall();
    let mut client = open(&hall).await;
    for n in 1..=4 {
        client.send(message("aside", n));
    }
    client.send(r#"{"action":"endless"}"#);
    client.send(message("wait", 6));
    house.begun(6).await;
    assert_eq!(house.running(), 6);
    drop(client);
    house.gone.notified().await;
    assert_eq!(*house.left.lock().unwrap(), Some(0), "none runs any more by then");
    assert_eq!(house.running(), 0);
}

#[tokio::test(start_paused = true)]
async fn one_that_panics_when_it_is_dropped_takes_nothing_along() {
    for action in ["ends_badly", "ends_badly_in_the_queue"] {
        let (house, hall) = hall_with(Limits { action_timeout: Duration::from_secs(10), ..Limits::default() });
        let (mut client, mut other) = (open(&hall).await, open(&hall).await);
        client.send(message("aside", 1));
        client.send(message(action, 2));
        house.begun(2).await;
        drop(client);
        assert!(
            timeout(Duration::from_mins(1), house.gone.notified()).await.is_ok(),
            "{action}: it is said to be gone"
        );
        assert_eq!(*house.left.lock().unwrap(), Some(0), "and all has ended");
        assert_eq!(other.call("ping").await.data(), "pong");
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_ends_it() {
    let limits = Limits {
        max_frame_bytes: 100,
        ping_interval: Duration::from_secs(10),
        idle_timeout: Duration::from_secs(25),
        send_timeout: Duration::from_secs(25),
        ..Limits::default()
    };
    let endings: [fn(&mut portcullis::testing::Client); 2] = [|client| client.send("x".repeat(101)), |_| {}];
    for (end, code) in endings.into_iter().zip([1009, 4508]) {
        let (house, hall) = hall_with(Limits { action_timeout: Duration::from_hours(1), ..limits.clone() });
        let mut client = connect(&hall).answer_pings(false).open().await.unwrap();
        client.send(message("aside", 1));
        house.begun(1).await;
        end(&mut client);
        assert_eq!(client.closed().await, code);
        assert_eq!(house.running(), 0);
        house.gone.notified().await;
        assert_eq!(*house.left.lock().unwrap(), Some(0));
    }
}

#[tokio::test(start_paused = true)]
async fn the_client_is_pinged_meanwhile_and_given_up_when_it_is_silent() {
    let limits = Limits {
        ping_interval: Duration::from_secs(10),
        idle_timeout: Duration::from_secs(35),
        send_timeout: Duration::from_secs(35),
        action_timeout: Duration::from_hours(1),
        ..Limits::default()
    };
    let (house, hall) = hall_with(limits);
    let mut client = connect(&hall).answer_pings(false).open().await.unwrap();
    client.send(message("aside", 1));
    house.begun(1).await;
    let start = Instant::now();
    // Whoever says something is there.
    sleep(Duration::from_secs(30)).await;
    assert_eq!(client.call("ping").await.data(), "pong");
    assert_eq!(client.closed().await, 4508);
    assert_eq!((start.elapsed().as_secs(), client.pings()), (65, 6));
    assert_eq!(house.running(), 0);
}

#[tokio::test(start_paused = true)]
async fn nothing_runs_beside_that_came_before_the_end_but_had_not_begun() {
    let (house, hall) = hall_with(Limits { max_detached_actions: 0, ..Limits::default() });
    let mut client = open(&hall).await;
    for n in 1..=3 {
        client.send(message("aside", n));
    }
    house.begun(1).await;
    drop(client);
    assert!(timeout(Duration::from_mins(1), house.gone.notified()).await.is_ok());
    assert_eq!((house.running(), house.begun.available_permits()), (0, 0));
}
