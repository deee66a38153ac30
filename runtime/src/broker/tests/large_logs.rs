//! Logs with large messages, with any broker.

use std::iter::repeat_n;

use bytes::Bytes;

use super::super::event_log::MAX_LOGGED_BYTES;
use super::logs::{MAX_AGE, bounded_log, end, following, log, next, subscribed};
use super::service::{Service, conformance_tests};

conformance_tests! {
    largest_message_is_appended_and_a_larger_one_is_refused
    several_large_messages_are_read
}

async fn largest_message_is_appended_and_a_larger_one_is_refused(service: &Service) {
    let log = log("1");
    let (link, mut reports) = subscribed(service, &log).await;
    let start = end(&link, &log).await;
    let largest: Bytes = (0..251).cycle().take(MAX_LOGGED_BYTES).collect();
    assert!(link.append(&log, largest.clone()));
    assert!(!link.append(&log, repeat_n(0, MAX_LOGGED_BYTES + 1).collect()));
    assert!(link.append(&log, Bytes::new()));
    let received = [next(&mut reports, &log).await, next(&mut reports, &log).await];
    assert!(received[0].1 == largest && received[1].1.is_empty());
    assert!(following(&link, &log, start).await == received);
}

async fn several_large_messages_are_read(service: &Service) {
    let log = bounded_log("1", 10, MAX_AGE);
    let (link, mut reports) = subscribed(service, &log).await;
    let start = end(&link, &log).await;
    let mut logged = Vec::new();
    for number in 0..6 {
        assert!(link.append(&log, repeat_n(number, 900 * 1024).collect()));
        logged.push(next(&mut reports, &log).await);
    }
    assert!(following(&link, &log, start).await == logged);
}
