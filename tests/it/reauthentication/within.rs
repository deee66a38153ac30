//! `authenticate_within`: an anonymous connection has to authenticate in time.

use std::time::Duration;

use portcullis::testing::connect;
use portcullis::{AllowAny, consumer};
use tokio::time::{Instant, sleep};

use super::{authenticate, fixture, member, send_action};
use crate::common::log_capture::LogCapture;

const TIME_LIMIT: Duration = Duration::from_secs(10);

#[tokio::test(start_paused = true)]
async fn anonymous_connection_is_closed_when_the_time_is_over() {
    let chat = fixture().chat.authenticate_within(TIME_LIMIT);
    for attempts in [0, 3] {
        let start = Instant::now();
        let mut client = connect(&chat).open().await.unwrap();
        for _ in 0..attempts {
            sleep(Duration::from_secs(3)).await;
            assert_eq!(authenticate(&mut client, "nobody").await.status(), 403, "does not prolong the time");
        }
        assert_eq!((client.closed().await, start.elapsed()), (4401, TIME_LIMIT), "{attempts}");
    }
}

#[tokio::test(start_paused = true)]
async fn connection_that_has_a_user_stays_open() {
    let chat = fixture().chat.authenticate_within(TIME_LIMIT);
    let mut from_the_start = connect(&chat).user(member("1 call")).open().await.unwrap();
    let mut in_time = connect(&chat).open().await.unwrap();
    sleep(TIME_LIMIT.saturating_sub(Duration::from_secs(1))).await;
    assert_eq!(authenticate(&mut in_time, "2 call").await.status(), 204);
    sleep(TIME_LIMIT).await;
    for client in [&mut from_the_start, &mut in_time] {
        assert_eq!(client.call("whoami").await.status(), 200);
    }
    // The credentials of a user expire too.
    let start = Instant::now();
    let mut short = connect(&chat).open().await.unwrap();
    assert_eq!(authenticate(&mut short, "3 call 5").await.status(), 204);
    assert_eq!(short.closed().await, 4401);
    assert!(start.elapsed() <= Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn running_action_of_an_anonymous_client_is_cancelled_when_the_time_is_over() {
    let fixture = fixture();
    let chat = fixture.chat.clone().authenticate_within(Duration::from_secs(1));
    let mut client = connect(&chat).open().await.unwrap();
    send_action(&mut client, "public_hang");
    assert_eq!(client.closed().await, 4401);
    fixture.state.disconnected.notified().await;
    assert_eq!(fixture.state.end_log(), ["action", "connection"]);
}

#[test]
#[should_panic(expected = "has no `#[authenticate]` method")]
fn consumer_without_authenticate_panics() {
    struct Mute;

    #[consumer]
    impl Mute {
        #[action(permission = AllowAny)]
        async fn ping(&self) {}
    }

    let _ = portcullis::websocket(Mute).authenticate_within(TIME_LIMIT);
}

#[tokio::test]
async fn endpoint_whose_clients_may_stay_anonymous_warns_when_it_is_mounted() {
    let chat = fixture().chat;
    let log = LogCapture::start();
    let _ = chat.clone().into_route::<()>();
    let lines = log.take();
    assert!(lines.len() == 1 && lines[0].starts_with("WARN"), "{lines:?}");
    assert!(lines[0].contains("anonymous connections may stay open without authenticating"), "{lines:?}");
    let _ = chat.authenticate_within(TIME_LIMIT).into_route::<()>();
    assert_eq!(log.take(), [""; 0]);
}
