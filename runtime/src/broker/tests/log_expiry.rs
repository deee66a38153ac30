//! How long logs are kept, with any broker.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::logs::{append, bounded_log, end, following, is_refused, read, subscribed};
use super::service::{Service, conformance_tests};

conformance_tests! {
    position_before_an_expired_message_is_refused
    position_is_good_while_the_log_is_read
    unused_log_disappears
}

/// What expires soon.
const SHORT_AGE: Duration = Duration::from_secs(1);

/// How long something that takes a second may take.
const TIME_LIMIT: Duration = Duration::from_secs(10);

async fn position_before_an_expired_message_is_refused(service: &Service) {
    let log = bounded_log("1", 5, SHORT_AGE);
    let (link, mut reports) = subscribed(service, &log).await;
    let start = end(&link, &log).await;
    append(&link, &mut reports, &log, 0..2).await;
    let appended_at = Instant::now();
    while !is_refused(&link, &log, start).await {
        assert!(appended_at.elapsed() < TIME_LIMIT);
        sleep(Duration::from_millis(50)).await;
    }
    let start = end(&link, &log).await;
    let logged = append(&link, &mut reports, &log, 2..4).await;
    assert_eq!(following(&link, &log, start).await, logged);
}

async fn position_is_good_while_the_log_is_read(service: &Service) {
    let log = bounded_log("1", 5, SHORT_AGE);
    let (link, mut reports) = subscribed(service, &log).await;
    let mut position = append(&link, &mut reports, &log, 0..1).await[0].0;
    let started_at = Instant::now();
    let mut messages = 0;
    while started_at.elapsed() < 4 * SHORT_AGE {
        sleep(SHORT_AGE / 2).await;
        if messages == 0 && started_at.elapsed() > 2 * SHORT_AGE {
            messages += append(&link, &mut reports, &log, 1..2).await.len();
        }
        let contents = read(&link, &log, position).await;
        let following = contents.messages.unwrap_or_else(|| panic!("{position:?} is refused"));
        messages += following.len();
        position = contents.end;
    }
    assert_eq!(messages, 2);
}

async fn unused_log_disappears(service: &Service) {
    let log = bounded_log("1", 5, SHORT_AGE);
    let (link, mut reports) = subscribed(service, &log).await;
    let start = end(&link, &log).await;
    let logged = append(&link, &mut reports, &log, 0..2).await;
    // To read it would keep it.
    sleep(3 * SHORT_AGE).await;
    for position in [start, logged[0].0, logged[1].0] {
        assert!(is_refused(&link, &log, position).await, "{position:?}");
    }
    assert_eq!(following(&link, &log, end(&link, &log).await).await, []);
}
