//! What a link does with logs, with any broker.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::future::join_all;
use tokio::time::sleep;

use super::super::event_log::{LogContents, LogId, LogPosition};
use super::super::memory_logs::unix_millis;
use super::super::{BrokerLink, Channel};
use super::channel;
use super::recorder::{Reports, recorder};
use super::service::{Service, conformance_tests};

conformance_tests! {
    appended_messages_arrive_in_order_with_their_positions
    messages_after_each_position_are_read
    links_that_append_concurrently_agree_on_the_order
    reads_during_appends_are_complete
    position_of_an_empty_log_is_good
    position_that_the_log_never_had_is_refused
    position_before_a_trimmed_message_is_refused
    logs_of_one_partition_are_separate
    logs_of_other_namespaces_and_prefixes_are_separate
    bounds_of_two_logs_are_their_own
    appends_and_publications_of_a_link_all_arrive
}

const MAX_MESSAGES: u32 = 500;
pub(super) const MAX_AGE: Duration = Duration::from_mins(1);

pub(super) type Logged = (LogPosition, Bytes);

pub(super) fn log(key: &str) -> LogId {
    bounded_log(key, MAX_MESSAGES, MAX_AGE)
}

pub(super) fn bounded_log(key: &str, max_messages: u32, max_age: Duration) -> LogId {
    LogId::new("Room", key.as_bytes(), max_messages, max_age)
}

fn text(number: u32) -> Bytes {
    Bytes::from(format!("message {number}"))
}

/// Receives a message of the log's partition.
pub(super) async fn next(reports: &mut Reports, log: &LogId) -> Logged {
    let (channel, message) = reports.message().await;
    assert_eq!(channel, Channel::History(log.partition));
    LogPosition::split(message).unwrap()
}

/// Opens a link that is subscribed to the channel of a log.
pub(super) async fn subscribed(service: &Service, log: &LogId) -> (Arc<dyn BrokerLink>, Reports) {
    let (link, mut reports) = service.link();
    let channel = Channel::History(log.partition);
    link.subscribe(channel);
    reports.subscribed([channel]).await;
    (link, reports)
}

pub(super) async fn append(
    link: &Arc<dyn BrokerLink>,
    reports: &mut Reports,
    log: &LogId,
    numbers: std::ops::Range<u32>,
) -> Vec<Logged> {
    let mut logged = Vec::new();
    for number in numbers {
        assert!(link.append(log, text(number)));
        let received = next(reports, log).await;
        assert_eq!(received.1, text(number));
        logged.push(received);
    }
    logged
}

pub(super) async fn read(link: &Arc<dyn BrokerLink>, log: &LogId, after: LogPosition) -> LogContents {
    link.read_log(*log, Some(after)).await.unwrap()
}

pub(super) async fn end(link: &Arc<dyn BrokerLink>, log: &LogId) -> LogPosition {
    let contents = link.read_log(*log, None).await.unwrap();
    assert_eq!(contents.messages, None);
    contents.end
}

/// Reads what follows a position, which is good.
pub(super) async fn following(link: &Arc<dyn BrokerLink>, log: &LogId, after: LogPosition) -> Vec<Logged> {
    let LogContents { end, messages } = read(link, log, after).await;
    let messages = messages.unwrap_or_else(|| panic!("{after:?} is refused"));
    messages.into_iter().map(|logged| (LogPosition { sequence: logged.sequence, ..end }, logged.message)).collect()
}

pub(super) async fn is_refused(link: &Arc<dyn BrokerLink>, log: &LogId, after: LogPosition) -> bool {
    read(link, log, after).await.messages.is_none()
}

/// Two logs of one partition.
fn neighbours(max_messages: u32) -> [LogId; 2] {
    let first = bounded_log("first", max_messages, MAX_AGE);
    let mut others = (0..).map(|number: u32| bounded_log(&format!("other {number}"), max_messages, MAX_AGE));
    [first, others.find(|other| other.partition == first.partition).unwrap()]
}

async fn appended_messages_arrive_in_order_with_their_positions(service: &Service) {
    let log = log("any \0\r\n key \u{1f600} .*>:{}");
    let (link, mut reports) = subscribed(service, &log).await;
    let (_other, mut other_reports) = subscribed(service, &log).await;
    let start = end(&link, &log).await;
    let started_at = unix_millis(SystemTime::now());
    for number in 0..300 {
        assert!(link.append(&log, text(number)));
    }
    let mut logged = Vec::new();
    for number in 0..300 {
        let received = next(&mut reports, &log).await;
        assert_eq!(received.1, text(number));
        assert_eq!(received.0.epoch, start.epoch);
        assert!(received.0.sequence > logged.last().map_or(start, |(position, _): &Logged| *position).sequence);
        assert_eq!(next(&mut other_reports, &log).await, received);
        logged.push(received);
    }
    let contents = read(&link, &log, start).await;
    assert_eq!(contents.end, logged[299].0);
    let messages = contents.messages.unwrap();
    assert_eq!(messages.len(), 300);
    let tolerance = 2000;
    for (message, (position, text)) in messages.iter().zip(&logged) {
        assert_eq!((message.sequence, &message.message), (position.sequence, text));
        let latest = unix_millis(SystemTime::now()) + tolerance;
        assert!((started_at - tolerance..latest).contains(&message.received_at), "{}", message.received_at);
    }
    assert!(messages.is_sorted_by_key(|message| message.received_at));
}

async fn messages_after_each_position_are_read(service: &Service) {
    let log = log("1");
    let (link, mut reports) = subscribed(service, &log).await;
    let start = end(&link, &log).await;
    let logged = append(&link, &mut reports, &log, 0..20).await;
    assert_eq!(following(&link, &log, start).await, logged);
    for (index, (position, _)) in logged.iter().enumerate() {
        assert_eq!(following(&link, &log, *position).await, logged[index + 1..]);
    }
    assert_eq!(end(&link, &log).await, logged[19].0);
}

async fn links_that_append_concurrently_agree_on_the_order(service: &Service) {
    const COUNT: u32 = 200;
    let logs = neighbours(MAX_MESSAGES);
    let mut links = [subscribed(service, &logs[0]).await, subscribed(service, &logs[0]).await];
    let starts = [end(&links[0].0, &logs[0]).await, end(&links[0].0, &logs[1]).await];
    for number in 0..COUNT {
        for (publisher, (link, _)) in links.iter().enumerate() {
            for (index, log) in logs.iter().enumerate() {
                assert!(link.append(log, Bytes::from(format!("{publisher} {index} {number}"))));
            }
        }
        if number % 50 == 0 {
            tokio::task::yield_now().await;
        }
    }
    let mut orders = Vec::new();
    for (_, reports) in &mut links {
        let (mut numbers, mut order) = (HashMap::new(), [Vec::new(), Vec::new()]);
        for _ in 0..COUNT * 4 {
            let (position, message) = next(reports, &logs[0]).await;
            let parts: Vec<u32> =
                std::str::from_utf8(&message).unwrap().split(' ').map(|part| part.parse().unwrap()).collect();
            let [publisher, index, number] = *parts else { panic!("{parts:?}") };
            let expected: &mut u32 = numbers.entry((publisher, index)).or_default();
            assert_eq!(number, *expected, "of {publisher} in {index}");
            *expected += 1;
            order[index as usize].push((position, message));
        }
        orders.push(order);
    }
    assert_eq!(orders[0], orders[1]);
    for ((log, start), order) in logs.iter().zip(starts).zip(&orders[0]) {
        assert!(order.is_sorted_by(|one, next| one.0.sequence < next.0.sequence));
        assert_eq!(following(&links[1].0, log, start).await, *order);
    }
}

async fn reads_during_appends_are_complete(service: &Service) {
    const COUNT: usize = 400;
    let log = log("1");
    let (link, mut reports) = subscribed(service, &log).await;
    let reader = service.link().0;
    let start = end(&link, &log).await;
    let start_again = loop {
        // The link connects in the background.
        if let Ok(contents) = reader.read_log(log, Some(start)).await {
            break contents;
        }
        sleep(Duration::from_millis(10)).await;
    };
    assert_eq!(start_again.messages, Some(Vec::new()));
    let reads = tokio::spawn(async move {
        let mut contents = Vec::new();
        while contents.len() < 200 {
            contents.extend(join_all((0..50).map(|_| read(&reader, &log, start))).await);
        }
        contents
    });
    for number in 0..COUNT {
        assert!(link.append(&log, text(u32::try_from(number).unwrap())));
        tokio::task::yield_now().await;
    }
    let mut logged = Vec::new();
    while logged.len() < COUNT {
        logged.push(next(&mut reports, &log).await);
    }
    for LogContents { end, messages } in reads.await.unwrap() {
        let messages = messages.unwrap();
        assert!(messages.last().map_or(start.sequence, |last| last.sequence) == end.sequence);
        assert!(
            messages
                .iter()
                .map(|message| message.sequence)
                .eq(logged[..messages.len()].iter().map(|(position, _)| position.sequence))
        );
    }
}

async fn position_of_an_empty_log_is_good(service: &Service) {
    let [log, other] = neighbours(3);
    let (link, mut reports) = subscribed(service, &log).await;
    let start = end(&link, &log).await;
    assert_eq!(following(&link, &log, start).await, []);
    // Those of another log do not matter, also if some of them are not kept any more.
    append(&link, &mut reports, &other, 0..10).await;
    assert_eq!(following(&link, &log, start).await, []);
    let logged = append(&link, &mut reports, &log, 0..2).await;
    append(&link, &mut reports, &other, 0..10).await;
    assert_eq!(following(&link, &log, start).await, logged);
    assert_eq!(following(&link, &log, logged[0].0).await, logged[1..]);
}

async fn position_that_the_log_never_had_is_refused(service: &Service) {
    let log = log("1");
    let (link, mut reports) = subscribed(service, &log).await;
    let start = end(&link, &log).await;
    for is_empty in [true, false] {
        let LogPosition { epoch, sequence } = end(&link, &log).await;
        for position in [
            LogPosition { epoch: epoch ^ 1, sequence },
            LogPosition { epoch: epoch ^ 1, sequence: start.sequence },
            LogPosition { epoch: 0, sequence: 0 },
            LogPosition { epoch, sequence: sequence + 1 },
            LogPosition { epoch, sequence: 1 << 60 },
            LogPosition { epoch, sequence: u64::MAX },
        ] {
            assert!(is_refused(&link, &log, position).await, "{position:?}");
        }
        if is_empty {
            append(&link, &mut reports, &log, 0..3).await;
        }
    }
}

async fn position_before_a_trimmed_message_is_refused(service: &Service) {
    let log = bounded_log("1", 5, MAX_AGE);
    let (link, mut reports) = subscribed(service, &log).await;
    let start = end(&link, &log).await;
    let first = append(&link, &mut reports, &log, 0..5).await;
    assert_eq!(following(&link, &log, start).await, first);
    let second = append(&link, &mut reports, &log, 5..60).await;
    let logged = [first, second].concat();
    for position in [start, logged[0].0, logged[30].0, logged[53].0] {
        assert!(is_refused(&link, &log, position).await, "{position:?}");
    }
    // The messages after these are kept.
    for index in 55..60 {
        assert_eq!(following(&link, &log, logged[index].0).await, logged[index + 1..]);
    }
    let read = read(&link, &log, logged[54].0).await;
    assert!(read.messages.is_none_or(|messages| messages.len() == 5));
}

async fn logs_of_one_partition_are_separate(service: &Service) {
    let [one, other] = neighbours(10);
    let (link, mut reports) = subscribed(service, &one).await;
    let starts = [end(&link, &one).await, end(&link, &other).await];
    let mut logged = [Vec::new(), Vec::new()];
    for number in 0..5 {
        logged[0].extend(append(&link, &mut reports, &one, number..number + 1).await);
        logged[1].extend(append(&link, &mut reports, &other, number + 10..number + 11).await);
    }
    assert_eq!(following(&link, &one, starts[0]).await, logged[0]);
    assert_eq!(following(&link, &other, starts[1]).await, logged[1]);
    for position in logged[0].iter().map(|(position, _)| *position).chain([starts[0]]) {
        assert!(is_refused(&link, &other, position).await, "{position:?}");
    }
    link.purge_log(one).await.unwrap();
    assert_eq!(following(&link, &other, starts[1]).await, logged[1]);
}

async fn logs_of_other_namespaces_and_prefixes_are_separate(service: &Service) {
    let log = log("1");
    let mut links = Vec::new();
    for (prefix, namespace) in
        [("", "chat"), ("", ""), ("a", "b:c"), ("a:b", "c"), ("a", "b.c"), ("A", "b.c"), (">", "*{}")]
    {
        let (receiver, mut reports) = recorder();
        let link = service.broker(prefix).open(namespace, receiver);
        let channel = Channel::History(log.partition);
        link.subscribe(channel);
        reports.subscribed([channel]).await;
        let start = end(&link, &log).await;
        links.push((link, reports, start));
    }
    let mut logged = Vec::new();
    for (number, (link, reports, _)) in links.iter_mut().enumerate() {
        let number = u32::try_from(number).unwrap();
        logged.push(append(link, reports, &log, number..number + 1).await);
    }
    for ((link, reports, start), logged) in links.iter_mut().zip(logged) {
        assert_eq!(following(link, &log, *start).await, logged);
        assert_eq!(reports.try_next(), None);
    }
}

async fn bounds_of_two_logs_are_their_own(service: &Service) {
    let (small, large) = (bounded_log("1", 2, MAX_AGE), bounded_log("2", 50, 2 * MAX_AGE));
    let (link, mut reports) = subscribed(service, &small).await;
    link.subscribe(Channel::History(large.partition));
    reports.subscribed([Channel::History(large.partition)]).await;
    let starts = [end(&link, &small).await, end(&link, &large).await];
    append(&link, &mut reports, &small, 0..40).await;
    let logged = append(&link, &mut reports, &large, 0..40).await;
    assert!(is_refused(&link, &small, starts[0]).await);
    assert_eq!(following(&link, &large, starts[1]).await, logged);
}

async fn appends_and_publications_of_a_link_all_arrive(service: &Service) {
    let log = log("1");
    let (link, mut reports) = subscribed(service, &log).await;
    link.subscribe(channel(1));
    reports.subscribed([channel(1)]).await;
    for number in 0..100 {
        assert!(link.publish(channel(1), text(number)));
        assert!(link.append(&log, text(number)));
    }
    let (mut published, mut appended) = (0, 0);
    while published + appended < 200 {
        let (channel, message) = reports.message().await;
        let (count, message) = match channel {
            Channel::History(_) => (&mut appended, LogPosition::split(message).unwrap().1),
            _ => (&mut published, message),
        };
        assert_eq!(message, text(*count));
        *count += 1;
    }
}
