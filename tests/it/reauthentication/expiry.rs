//! Expiry: the connection is closed when its credentials expire, independent of what runs.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use futures_util::FutureExt;
use portcullis::testing::connect;
use portcullis::{AllowAny, ConnectContext, Limits, consumer};
use tokio::time::{Instant, sleep};

use super::{
    Lobby, Member, Room, Said, Whispered, authenticate, fixture, member, next, next_status, send_action,
    send_authenticate,
};

/// Asserts the elapsed time, with a tolerance for the real time that the test took.
#[track_caller]
fn expect_passed(since: Instant, seconds: u64) {
    let passed = since.elapsed();
    let most = Duration::from_secs(seconds);
    assert!(most.saturating_sub(passed) < Duration::from_secs(1) && passed <= most, "{passed:?} and not {most:?}");
}

#[tokio::test(start_paused = true)]
async fn idle_connection_is_closed_when_its_credentials_expire() {
    let fixture = fixture();
    let start = Instant::now();
    let publisher = fixture.chat.publisher();
    let mut client = fixture.open("1 - 40").await;
    publisher.publish(&Lobby, Whispered(1));
    assert_eq!(publisher.counters().refused, 1, "the event is evaluated for a member");
    assert_eq!(client.closed().await, 4401);
    expect_passed(start, 40);
    fixture.state.disconnected.notified().await;
    assert_eq!(fixture.state.end_log(), ["connection"]);
    publisher.publish(&Lobby, Whispered(1));
    publisher.publish_to_user("1", Whispered(1));
    assert_eq!(publisher.counters().refused, 1, "the membership has ended");
    assert_eq!(publisher.join("1", Lobby).await, 0, "the user is not registered any more");
}

#[tokio::test(start_paused = true)]
async fn running_action_is_dropped_when_its_credentials_expire() {
    let fixture = fixture();
    let start = Instant::now();
    let mut client = fixture.open("1 call 3").await;
    send_action(&mut client, "hang");
    assert_eq!(client.closed().await, 4401);
    expect_passed(start, 3);
    fixture.state.disconnected.notified().await;
    assert_eq!(fixture.state.end_log(), ["action", "connection"]);
}

#[tokio::test(start_paused = true)]
async fn stream_ends_when_its_credentials_expire() {
    let fixture = fixture();
    let start = Instant::now();
    let mut client = fixture.open("1 call 10").await;
    send_action(&mut client, "stream");
    let mut values = 0;
    while start.elapsed() < Duration::from_secs(9) {
        assert_eq!(next(&mut client).await["last"], false);
        values += 1;
    }
    assert_eq!(values, 9);
    assert_eq!(client.closed().await, 4401);
    expect_passed(start, 10);
    fixture.state.disconnected.notified().await;
    assert_eq!(fixture.state.end_log(), ["stream", "connection"]);
}

#[tokio::test(start_paused = true)]
async fn expiry_is_not_delayed_by_events_and_messages() {
    let fixture = fixture();
    let start = Instant::now();
    let mut client = fixture.open("1 - 10").await;
    let publisher = fixture.chat.publisher();
    let flood = tokio::spawn(async move {
        for number in 0..2000 {
            publisher.publish(&Lobby, Said(number));
            sleep(Duration::from_millis(10)).await;
        }
    });
    let mut events = 0;
    while start.elapsed() < Duration::from_millis(9900) {
        assert_eq!(next(&mut client).await["event"], "said");
        events += 1;
    }
    assert!(events > 900, "{events}");
    // Messages from the client do not delay it either.
    sleep(Duration::from_secs(1)).await;
    client.send(r#"{"action":"ping"}"#);
    // Frames that were sent in time arrive first.
    let code = loop {
        if let Ok(code) = AssertUnwindSafe(client.closed()).catch_unwind().await {
            break code;
        }
    };
    assert_eq!(code, 4401);
    flood.abort();
    fixture.state.disconnected.notified().await;
    assert_eq!(fixture.state.end_log(), ["connection"]);
}

#[tokio::test(start_paused = true)]
async fn queued_message_does_not_begin_after_expiry() {
    let fixture = fixture();
    let mut client = fixture.open("1 call 3").await;
    send_action(&mut client, "hang");
    send_action(&mut client, "hang");
    assert_eq!(client.closed().await, 4401);
    fixture.state.disconnected.notified().await;
    assert_eq!(fixture.state.end_log(), ["action", "connection"]);
}

#[tokio::test(start_paused = true)]
async fn handshake_with_expired_credentials_is_rejected_with_401() {
    let fixture = fixture();
    for late in [Duration::ZERO, Duration::from_secs(1), Duration::from_secs(1_000_000)] {
        let expires_at = Some(SystemTime::now() - late);
        let refused = connect(&fixture.chat).user(Member { expires_at, ..member("1") }).open().await.unwrap_err();
        assert_eq!(refused.status(), 401);
    }
    let expires_at = Some(SystemTime::UNIX_EPOCH);
    let refused = connect(&fixture.chat).user(Member { expires_at, ..member("1") }).open().await.unwrap_err();
    assert_eq!(refused.status(), 401);
    assert_eq!(fixture.state.end_log(), [""; 0], "no hook has run");
}

#[tokio::test(start_paused = true)]
async fn credentials_without_near_expiry_keep_the_connection() {
    let fixture = fixture();
    let century = Duration::from_hours(24 * 365 * 100);
    let far = [None, Some(SystemTime::now() + century), Some(SystemTime::now() + century * 100)];
    // The latest time that the clock of this machine can represent.
    let farthest = (0..63)
        .rev()
        .fold(SystemTime::now(), |time, power| time.checked_add(Duration::from_secs(1 << power)).unwrap_or(time));
    for expires_at in far.into_iter().chain([Some(farthest)]) {
        let mut client = connect(&fixture.chat).user(Member { expires_at, ..member("1") }).open().await.unwrap();
        for _ in 0..100 {
            assert_eq!(client.call("ping").await.status(), 200);
            sleep(Duration::from_secs(50)).await;
        }
        assert_eq!(authenticate(&mut client, "1 - 1000000").await.status(), 204);
        drop(client);
        fixture.state.disconnected.notified().await;
    }
}

#[tokio::test(start_paused = true)]
async fn fresh_credentials_extend_and_shorten_the_expiry() {
    let fixture = fixture();
    let start = Instant::now();
    let mut client = fixture.open("1 call 10").await;
    assert_eq!(authenticate(&mut client, "1 call 50").await.status(), 204);
    sleep(Duration::from_secs(30)).await;
    assert_eq!(client.call("call").await.status(), 200, "extended");
    assert_eq!(authenticate(&mut client, "1 call 4").await.status(), 204);
    let again = Instant::now();
    send_action(&mut client, "hang");
    assert_eq!(client.closed().await, 4401);
    expect_passed(again, 4);
    assert!(start.elapsed() < Duration::from_secs(35), "shortened");

    let mut client = fixture.open("1 - 10").await;
    assert_eq!(authenticate(&mut client, "1").await.status(), 204);
    sleep(Duration::from_secs(50)).await;
    assert_eq!(client.call("ping").await.status(), 200, "without expiry");
    assert_eq!(authenticate(&mut client, "1 - 2").await.status(), 204);
    assert_eq!(client.closed().await, 4401, "with an expiry again");
}

#[tokio::test(start_paused = true)]
async fn running_action_outlives_old_credentials_after_authenticate() {
    let fixture = fixture();
    let mut client = fixture.open("1 call 3").await;
    send_action(&mut client, "hang");
    sleep(Duration::from_secs(2)).await;
    assert_eq!(authenticate(&mut client, "1 call 4").await.status(), 204);
    sleep(Duration::from_secs(2)).await;
    fixture.state.resume.notify_one();
    assert_eq!(client.reply().await.status(), 200);
    assert_eq!(client.closed().await, 4401);
}

#[tokio::test(start_paused = true)]
async fn refused_authenticate_does_not_move_the_expiry() {
    for token in ["nobody", "teapot", "2 call 3600", "panic", "fault"] {
        let fixture = fixture();
        let start = Instant::now();
        let mut client = fixture.open("1 - 20").await;
        assert!(authenticate(&mut client, token).await.status() >= 400);
        assert_eq!(client.closed().await, 4401);
        expect_passed(start, 20);
    }
}

/// Fresh credentials take effect at once, however long the revalidation takes.
#[tokio::test(start_paused = true)]
async fn expiry_is_moved_while_a_group_permission_hangs() {
    for (token, seconds) in [("1 inside 20", Some(20)), ("1 inside", None)] {
        let mut fixture = fixture();
        fixture.chat = fixture.chat.limits(Limits { action_timeout: Duration::from_secs(12), ..Limits::default() });
        let mut client = fixture.open("1 inside 15").await;
        fixture.state.group_permission_hangs.store(true, Ordering::SeqCst);
        let start = Instant::now();
        send_authenticate(&mut client, token, "renewed");
        sleep(Duration::from_secs(1)).await;
        fixture.state.group_permission_hangs.store(false, Ordering::SeqCst);
        assert_eq!(client.reply().await.status(), 204, "it is evaluated again after five seconds");
        assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
        fixture.chat.publisher().publish(&Room, Said(1));
        assert_eq!(client.event().await.value()["data"], 1);
        if let Some(seconds) = seconds {
            assert_eq!(client.closed().await, 4401);
            expect_passed(start, seconds);
        } else {
            sleep(Duration::from_secs(30)).await;
            assert_eq!(client.call("ping").await.status(), 200);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn authenticate_unanswered_at_expiry_comes_too_late() {
    for busy in [false, true] {
        let fixture = fixture();
        let start = Instant::now();
        let mut client = fixture.open("1 call 3").await;
        if busy {
            send_action(&mut client, "hang");
        }
        send_authenticate(&mut client, "wait 1 call 60", "renewed");
        client.expect_silence().await;
        assert_eq!(client.closed().await, 4401);
        expect_passed(start, 3);
    }
    // Sent as late, but accepted in time.
    let fixture = fixture();
    let mut client = fixture.open("1 call 3").await;
    send_authenticate(&mut client, "wait 1 call 60", "renewed");
    sleep(Duration::from_millis(1500)).await;
    fixture.state.authenticate_permit.notify_one();
    assert_eq!(next_status(&mut client).await, ("renewed".to_owned(), 204));
    sleep(Duration::from_secs(10)).await;
    assert_eq!(client.call("call").await.status(), 200);
}

/// A consumer with a slow `#[connect]`.
struct SlowPortal;

#[consumer(user = Member)]
impl SlowPortal {
    #[connect]
    async fn connect(&self, _: &ConnectContext<'_, Member>) {
        sleep(Duration::from_secs(20)).await;
    }

    #[action(permission = AllowAny)]
    async fn ping(&self) {}
}

#[tokio::test(start_paused = true)]
async fn slow_connect_hook_does_not_delay_expiry() {
    let start = Instant::now();
    let mut client = connect(&portcullis::websocket(SlowPortal)).user(member("1 - 3")).open().await.unwrap();
    assert_eq!(client.closed().await, 4401);
    expect_passed(start, 3);
}
