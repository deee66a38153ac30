//! What becomes of logs when their server goes away and comes back.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, sleep};

use super::super::event_log::{LogId, LogPosition};
use super::super::{BrokerLink, Channel};
use super::logs::{Logged, end, following, is_refused, log, next};
use super::outages::outage_tests;
use super::recorder::{Report, Reports, recorder};
use super::server::Server;

outage_tests! {
    appends_and_reads_are_refused_while_the_link_is_down
    server_that_returns_without_its_data_starts_logs_anew
    server_that_returns_with_its_data_starts_logs_anew
    killed_server_gives_no_position_twice
    reads_of_a_server_that_does_not_reply_fail
}

/// How long something may take that takes no longer than a connection, on a busy machine.
const TIME_LIMIT: Duration = Duration::from_secs(10);

/// A link that subscribes to the channel of a log.
pub(super) async fn subscribed(server: &Server, log: &LogId) -> (Arc<dyn BrokerLink>, Reports) {
    let (receiver, mut reports) = recorder();
    let link = server.broker().open("chat", receiver);
    link.subscribe(Channel::History(log.partition));
    reports.subscribed([Channel::History(log.partition)]).await;
    (link, reports)
}

pub(super) async fn append(
    link: &Arc<dyn BrokerLink>,
    reports: &mut Reports,
    log: &LogId,
    message: &'static str,
) -> Logged {
    assert!(link.append(log, Bytes::from(message)));
    let logged = next(reports, log).await;
    assert_eq!(logged.1, message);
    logged
}

async fn returned(reports: &mut Reports, log: &LogId) {
    reports.lost().await;
    reports.subscribed([Channel::History(log.partition)]).await;
}

async fn appends_and_reads_are_refused_while_the_link_is_down(mut server: Server) {
    let log = log("1");
    let (receiver, mut reports) = recorder();
    let link = server.broker().open("chat", receiver);
    link.subscribe(Channel::History(log.partition));
    for is_first in [true, false] {
        let killed_at = Instant::now();
        while link.append(&log, Bytes::from_static(b"early")) {
            assert!(!is_first && killed_at.elapsed() < TIME_LIMIT);
            sleep(Duration::from_millis(5)).await;
        }
        let called_at = Instant::now();
        assert_eq!(link.read_log(log, None).await.unwrap_err().status(), 503);
        assert_eq!(link.purge_log(log).await.unwrap_err().code(), "broker_unavailable");
        assert!(called_at.elapsed() < Duration::from_secs(1));
        server.run_with_logs().await;
        reports.subscribed([Channel::History(log.partition)]).await;
        // What was queued when the link was lost may have been sent since.
        link.purge_log(log).await.unwrap();
        let start = end(&link, &log).await;
        assert!(link.append(&log, Bytes::from_static(b"late")));
        while next(&mut reports, &log).await.1 != "late" {}
        assert_eq!(following(&link, &log, start).await.last().unwrap().1, "late");
        server.kill();
        reports.lost().await;
    }
}

async fn server_that_returns_without_its_data_starts_logs_anew(mut server: Server) {
    let log = log("1");
    server.run_with_logs().await;
    let (link, mut reports) = subscribed(&server, &log).await;
    let mut positions = vec![end(&link, &log).await];
    for _ in 0..2 {
        for message in ["one", "two", "three"] {
            positions.push(append(&link, &mut reports, &log, message).await.0);
        }
        server.kill();
        server.remove_data();
        server.run_with_logs().await;
        returned(&mut reports, &log).await;
        are_refused(&link, &log, &positions).await;
        // At the sequence numbers of before.
        let start = end(&link, &log).await;
        let mut logged = Vec::new();
        for message in ["four", "five", "six", "seven"] {
            logged.push(append(&link, &mut reports, &log, message).await);
        }
        are_refused(&link, &log, &positions).await;
        assert_eq!(following(&link, &log, start).await, logged);
        positions.extend(logged.into_iter().map(|(position, _)| position).chain([start]));
    }
}

async fn are_refused(link: &Arc<dyn BrokerLink>, log: &LogId, positions: &[LogPosition]) {
    for position in positions {
        assert!(is_refused(link, log, *position).await, "{position:?}");
    }
}

async fn server_that_returns_with_its_data_starts_logs_anew(mut server: Server) {
    let log = log("1");
    server.run_with_logs().await;
    let (link, mut reports) = subscribed(&server, &log).await;
    let mut positions = vec![end(&link, &log).await];
    positions.push(append(&link, &mut reports, &log, "one").await.0);
    server.save().await;
    // Not all servers write this before they are killed.
    positions.push(append(&link, &mut reports, &log, "two").await.0);
    server.kill();
    server.run_with_logs().await;
    returned(&mut reports, &log).await;
    are_refused(&link, &log, &positions).await;
    let start = end(&link, &log).await;
    let logged = [append(&link, &mut reports, &log, "three").await, append(&link, &mut reports, &log, "four").await];
    are_refused(&link, &log, &positions).await;
    assert_eq!(following(&link, &log, start).await, logged);
}

async fn killed_server_gives_no_position_twice(mut server: Server) {
    let log = log("1");
    server.run_with_logs().await;
    let (link, mut reports) = subscribed(&server, &log).await;
    let (_other, mut other_reports) = subscribed(&server, &log).await;
    let (mut positions, mut messages) = (HashSet::new(), HashSet::new());
    let mut number = 0_u32;
    for _ in 0..3 {
        let mut last = None;
        for _ in 0..200 {
            number += 1;
            assert!(link.append(&log, Bytes::from(number.to_string())));
            if number % 200 == 100 {
                last = Some(next(&mut reports, &log).await);
            }
        }
        server.kill();
        let mut received: Vec<_> = last.into_iter().collect();
        loop {
            match reports.next().await {
                Report::Message(_, message) => received.push(LogPosition::split(message).unwrap()),
                Report::Lost => break,
                report => panic!("{report:?}"),
            }
        }
        server.run_with_logs().await;
        reports.subscribed([Channel::History(log.partition)]).await;
        returned(&mut other_reports, &log).await;
        // Also what was queued when the link was lost.
        let start = end(&link, &log).await;
        assert!(link.append(&log, Bytes::from_static(b"end")));
        loop {
            let logged = next(&mut reports, &log).await;
            received.push(logged.clone());
            if logged.1 == "end" {
                break;
            }
        }
        for (position, message) in following(&link, &log, start).await {
            assert!(received.contains(&(position, message)));
        }
        for (position, message) in received {
            assert!(positions.insert((position.epoch, position.sequence)), "{position:?}");
            assert!(message == "end" || messages.insert(message.clone()), "{message:?}");
        }
    }
}

async fn reads_of_a_server_that_does_not_reply_fail(mut server: Server) {
    let log = log("1");
    server.run_with_logs().await;
    let (link, mut reports) = subscribed(&server, &log).await;
    let start = end(&link, &log).await;
    server.pause();
    let called_at = Instant::now();
    assert_eq!(link.read_log(log, Some(start)).await.unwrap_err().status(), 503);
    assert!(called_at.elapsed() < Duration::from_secs(5), "{:?}", called_at.elapsed());
    reports.lost().await;
    server.proceed();
    reports.subscribed([Channel::History(log.partition)]).await;
    append(&link, &mut reports, &log, "one").await;
}
