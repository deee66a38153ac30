//! What a link does with any broker.

use std::collections::HashMap;
use std::iter::repeat_n;
use std::sync::Arc;

use bytes::Bytes;

use super::super::channel::CHANNEL_COUNT;
use super::super::{BrokerLink, Channel, LinkReceiver, MAX_MESSAGE_BYTES};
use super::channel;
use super::recorder::{Report, panicking_recorder, recorder};
use super::service::{Service, conformance_tests};

conformance_tests! {
    messages_of_a_publisher_arrive_in_order
    own_messages_arrive
    only_subscribed_channels_are_received
    unsubscribed_channel_is_not_received
    namespaces_are_separate
    prefixes_are_separate
    confirmed_subscription_misses_nothing_under_churn
    subscription_is_confirmed_once
    largest_message_arrives_and_a_larger_one_is_refused
    all_channels_can_be_subscribed
    dropped_link_drops_its_receiver
    receiver_that_panics_receives_what_follows
}

fn number(number: u32) -> Bytes {
    Bytes::copy_from_slice(&number.to_be_bytes())
}

async fn messages_of_a_publisher_arrive_in_order(service: &Service) {
    const COUNT: u32 = 2000;
    let channels = [channel(0), channel(77), Channel::Control];
    let mut links = [service.link(), service.link()];
    for (link, reports) in &mut links {
        for channel in channels {
            link.subscribe(channel);
        }
        reports.subscribed(channels).await;
    }
    for value in 0..COUNT {
        for (publisher, (link, _)) in links.iter().enumerate() {
            for channel in channels {
                assert!(link.publish(channel, Bytes::from(format!("{publisher} {value}"))));
            }
        }
        // The queues are bounded.
        if value % 200 == 0 {
            tokio::task::yield_now().await;
        }
    }
    for (_, reports) in &mut links {
        let mut next = HashMap::new();
        for _ in 0..COUNT as usize * channels.len() * 2 {
            let (channel, message) = reports.message().await;
            let text = std::str::from_utf8(&message).unwrap();
            let (publisher, value) = text.split_once(' ').unwrap();
            let next: &mut u32 = next.entry((channel, publisher.to_owned())).or_default();
            assert_eq!(value, next.to_string(), "of {publisher} on {channel:?}");
            *next += 1;
        }
        assert_eq!(next.len(), channels.len() * 2);
    }
}

async fn own_messages_arrive(service: &Service) {
    let (link, mut reports) = service.link();
    link.subscribe(channel(9));
    reports.subscribed([channel(9)]).await;
    for message in ["", "text", "line\r\nPUB x 1\r\n", "\0\u{1f600}"] {
        assert!(link.publish(channel(9), Bytes::from_static(message.as_bytes())));
        assert_eq!(reports.message().await, (channel(9), Bytes::from_static(message.as_bytes())));
    }
}

async fn only_subscribed_channels_are_received(service: &Service) {
    let (publisher, _) = service.link();
    let (subscriber, mut reports) = service.link();
    subscriber.subscribe(channel(1));
    reports.subscribed([channel(1)]).await;
    for index in [0, 2, 10, 11, 12, 128, 1] {
        assert!(publisher.publish(channel(index), number(5)));
    }
    assert_eq!(reports.message().await, (channel(1), number(5)));
}

async fn unsubscribed_channel_is_not_received(service: &Service) {
    let (publisher, _) = service.link();
    let (subscriber, mut reports) = service.link();
    subscriber.subscribe(channel(1));
    reports.subscribed([channel(1)]).await;
    subscriber.unsubscribe(channel(1));
    // The confirmation of what follows also shows that this took effect.
    subscriber.subscribe(channel(2));
    reports.subscribed([channel(2)]).await;
    assert!(publisher.publish(channel(1), number(1)));
    assert!(publisher.publish(channel(2), number(2)));
    assert_eq!(reports.message().await, (channel(2), number(2)));
}

/// Names that would be mistaken for each other if they were not encoded.
const NAMES: [&str; 26] = [
    "",
    "a",
    "A",
    "b",
    "a.b",
    "a:b",
    "a::b",
    "a%3Ab",
    "a=3Ab",
    "*",
    ">",
    "a.*",
    "a.>",
    "?",
    "[ab]",
    "a b",
    "a\tb",
    "\r\nPUB x 0\r\n",
    "\0",
    "%",
    "=",
    "=2A",
    "=2a",
    "\u{e9}",
    "e\u{301}",
    "\u{1f600}",
];

async fn namespaces_are_separate(service: &Service) {
    let broker = service.broker("");
    are_separate(|name, receiver| broker.open(name, receiver)).await;
}

async fn prefixes_are_separate(service: &Service) {
    are_separate(|name, receiver| service.broker(name).open("chat", receiver)).await;
}

/// A link of each name receives its own message and no other.
async fn are_separate(open: impl Fn(&str, Arc<dyn LinkReceiver>) -> Arc<dyn BrokerLink>) {
    let mut links = Vec::new();
    for name in NAMES {
        let (receiver, mut reports) = recorder();
        let link = open(name, receiver);
        link.subscribe(Channel::Control);
        reports.subscribed([Channel::Control]).await;
        links.push((name, link, reports));
    }
    for text in ["first", "second", "third"] {
        for (name, link, _) in &links {
            assert!(link.publish(Channel::Control, Bytes::from(format!("{text} of {name}"))));
        }
        for (name, _, reports) in &mut links {
            let expected = Bytes::from(format!("{text} of {name}"));
            assert_eq!(reports.message().await, (Channel::Control, expected), "{name:?}");
        }
    }
}

async fn confirmed_subscription_misses_nothing_under_churn(service: &Service) {
    let (publisher, _) = service.link();
    let (subscriber, mut reports) = service.link();
    let others: Vec<Channel> = (10..30).map(channel).collect();
    for round in 0..60 {
        subscriber.subscribe(channel(1));
        for toggle in 0..round % 4 {
            subscriber.unsubscribe(channel(1));
            if toggle % 2 == round % 2 {
                tokio::task::yield_now().await;
            }
            subscriber.subscribe(channel(1));
        }
        subscriber.unsubscribe(channel(1));
        // Confirmations of the above come before this one.
        subscriber.subscribe(channel(2));
        while reports.next().await != Report::Subscribed(channel(2)) {}
        subscriber.unsubscribe(channel(2));

        subscriber.subscribe(channel(1));
        while reports.next().await != Report::Subscribed(channel(1)) {}
        for value in round * 10..round * 10 + 10 {
            let other = others[value as usize % others.len()];
            if value % 3 == 0 {
                subscriber.unsubscribe(other);
            } else {
                subscriber.subscribe(other);
            }
            assert!(publisher.publish(channel(1), number(value)));
            loop {
                match reports.next().await {
                    Report::Subscribed(confirmed) => assert!(others.contains(&confirmed), "{confirmed:?}"),
                    report => break assert_eq!(report, Report::Message(channel(1), number(value))),
                }
            }
        }
        subscriber.unsubscribe(channel(1));
    }
}

async fn subscription_is_confirmed_once(service: &Service) {
    let (link, mut reports) = service.link();
    link.subscribe(channel(1));
    reports.subscribed([channel(1)]).await;
    link.subscribe(channel(1));
    link.subscribe(channel(2));
    reports.subscribed([channel(2)]).await;
    link.unsubscribe(channel(1));
    link.subscribe(channel(1));
    reports.subscribed([channel(1)]).await;
}

async fn largest_message_arrives_and_a_larger_one_is_refused(service: &Service) {
    let (link, mut reports) = service.link();
    link.subscribe(channel(1));
    reports.subscribed([channel(1)]).await;
    let largest: Bytes = (0..251).cycle().take(MAX_MESSAGE_BYTES).collect();
    assert!(link.publish(channel(1), largest.clone()));
    assert!(!link.publish(channel(1), repeat_n(0, MAX_MESSAGE_BYTES + 1).collect()));
    assert!(link.publish(channel(1), number(1)));
    assert!(reports.message().await == (channel(1), largest));
    assert_eq!(reports.message().await, (channel(1), number(1)));
}

async fn all_channels_can_be_subscribed(service: &Service) {
    let (publisher, _) = service.link();
    let (subscriber, mut reports) = service.link();
    let channels = || (0..CHANNEL_COUNT).map(channel);
    channels().for_each(|channel| subscriber.subscribe(channel));
    reports.subscribed(channels()).await;
    for channel in channels() {
        assert!(publisher.publish(channel, Bytes::from(channel.to_string())));
    }
    let mut received = Vec::new();
    for _ in channels() {
        let (channel, message) = reports.message().await;
        assert_eq!(message, channel.to_string());
        received.push(channel);
    }
    received.sort_unstable();
    assert!(received.into_iter().eq(channels()));
}

async fn dropped_link_drops_its_receiver(service: &Service) {
    let (link, mut reports) = service.link();
    link.subscribe(channel(1));
    reports.subscribed([channel(1)]).await;
    assert!(link.publish(channel(1), number(1)));
    drop(link);
    reports.dropped().await;
    // Also before it is connected.
    let (link, mut reports) = service.link();
    link.subscribe(channel(1));
    drop(link);
    reports.dropped().await;
}

async fn receiver_that_panics_receives_what_follows(service: &Service) {
    let (receiver, mut reports) = panicking_recorder(|report| {
        [Report::Subscribed(channel(1)), Report::Message(channel(1), number(1))].contains(report)
    });
    let link = service.link_with(receiver);
    link.subscribe(channel(1));
    link.subscribe(channel(2));
    reports.subscribed([channel(2)]).await;
    for value in 0..3 {
        assert!(link.publish(channel(1), number(value)));
    }
    assert_eq!(reports.message().await, (channel(1), number(0)));
    assert_eq!(reports.message().await, (channel(1), number(2)));
}
