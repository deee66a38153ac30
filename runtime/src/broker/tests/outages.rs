//! What a link does when its server goes away and comes back.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, sleep};

use super::super::channel::CHANNEL_COUNT;
use super::super::{BrokerLink, Channel};
use super::channel;
use super::recorder::{Report, Reports, recorder};
use super::server::Server;

/// How long a link may take after the return of its server.
const RETURN_LIMIT: Duration = Duration::from_secs(2);

/// Defines each test for each server.
macro_rules! outage_tests {
    ($($(#[$attribute:meta])* $test:ident)*) => {
        #[cfg(feature = "redis")]
        outage_tests!(redis, Redis, $($(#[$attribute])* $test)*);
        #[cfg(feature = "nats")]
        outage_tests!(nats, Nats, $($(#[$attribute])* $test)*);
    };
    ($module:ident, $program:ident, $($(#[$attribute:meta])* $test:ident)*) => {
        mod $module {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                $(#[$attribute])*
                async fn $test() {
                    let program = crate::broker::tests::server::Program::$program;
                    if let Some(server) = super::Server::prepare(program) {
                        super::$test(server).await;
                    }
                }
            )*
        }
    };
}

pub(super) use outage_tests;

outage_tests! {
    link_that_is_opened_before_its_server_runs_connects
    killed_server_is_one_loss_and_all_channels_return
    stopped_server_is_lost_by_the_heartbeat
    messages_of_an_outage_are_sent_in_order
    messages_beyond_the_bound_are_refused_during_an_outage
    subscriptions_change_during_an_outage
    link_that_is_dropped_closes_its_connection
    link_that_is_dropped_during_an_outage_drops_its_receiver
    link_that_is_dropped_while_nothing_can_be_written_closes_its_connection
    #[ignore = "takes four minutes"]
    long_outages_end_without_a_call
}

fn link(server: &Server) -> (Arc<dyn BrokerLink>, Reports) {
    let (receiver, reports) = recorder();
    (server.broker().open("chat", receiver), reports)
}

/// A link that subscribes to all channels.
async fn subscribed_link(server: &Server) -> (Arc<dyn BrokerLink>, Reports) {
    let (link, mut reports) = link(server);
    all_channels().for_each(|channel| link.subscribe(channel));
    reports.subscribed(all_channels()).await;
    (link, reports)
}

fn all_channels() -> impl Iterator<Item = Channel> {
    (0..CHANNEL_COUNT).map(channel)
}

/// Both links receive what either publishes. Not on the control channel: what was under way when a connection was lost is
/// published again there.
async fn messages_flow(links: &mut [(Arc<dyn BrokerLink>, Reports)]) {
    for publisher in 0..links.len() {
        for channel in [channel(0), channel(1)] {
            let message = Bytes::from(format!("from {publisher}"));
            assert!(links[publisher].0.publish(channel, message.clone()));
            for (_, reports) in links.iter_mut() {
                assert_eq!(reports.message().await, (channel, message.clone()));
            }
        }
    }
}

/// Awaits that all channels are confirmed, within the limit after the return of the server.
async fn all_return(reports: &mut Reports, returned_at: Instant) {
    reports.subscribed(all_channels()).await;
    assert!(returned_at.elapsed() < RETURN_LIMIT, "after {:?}", returned_at.elapsed());
}

async fn link_that_is_opened_before_its_server_runs_connects(mut server: Server) {
    let (link, mut reports) = link(&server);
    link.subscribe(channel(1));
    assert!(link.publish(channel(1), Bytes::from_static(b"early")));
    // Some attempts fail.
    assert_eq!(reports.next_until(Instant::now() + Duration::from_secs(1)).await, None);
    server.run(&[]).await;
    let returned_at = Instant::now();
    reports.subscribed([channel(1)]).await;
    assert!(returned_at.elapsed() < RETURN_LIMIT, "after {:?}", returned_at.elapsed());
    assert_eq!(reports.message().await, (channel(1), Bytes::from_static(b"early")));
}

async fn killed_server_is_one_loss_and_all_channels_return(mut server: Server) {
    server.run(&[]).await;
    let mut links = [subscribed_link(&server).await, subscribed_link(&server).await];
    messages_flow(&mut links).await;
    for _ in 0..2 {
        server.kill();
        for (_, reports) in &mut links {
            assert_eq!(reports.next().await, Report::Lost);
        }
        sleep(Duration::from_secs(1)).await;
        server.run(&[]).await;
        let returned_at = Instant::now();
        for (_, reports) in &mut links {
            all_return(reports, returned_at).await;
        }
        messages_flow(&mut links).await;
    }
}

async fn stopped_server_is_lost_by_the_heartbeat(mut server: Server) {
    server.run(&[]).await;
    let mut links = [subscribed_link(&server).await, subscribed_link(&server).await];
    server.pause();
    let paused_at = Instant::now();
    for (_, reports) in &mut links {
        assert_eq!(reports.next().await, Report::Lost);
    }
    assert!(paused_at.elapsed() < Duration::from_secs(5), "after {:?}", paused_at.elapsed());
    sleep(Duration::from_secs(1)).await;
    server.proceed();
    let returned_at = Instant::now();
    for (_, reports) in &mut links {
        all_return(reports, returned_at).await;
    }
    messages_flow(&mut links).await;
}

async fn messages_of_an_outage_are_sent_in_order(mut server: Server) {
    server.run(&[]).await;
    let (link, mut reports) = subscribed_link(&server).await;
    server.kill();
    assert_eq!(reports.next().await, Report::Lost);
    let messages = || (0..5000).map(|value: u32| Bytes::from(format!("message {value}")));
    for message in messages() {
        assert!(link.publish(channel(5), message));
    }
    server.run(&[]).await;
    all_return(&mut reports, Instant::now()).await;
    for message in messages() {
        assert_eq!(reports.message().await, (channel(5), message));
    }
}

async fn messages_beyond_the_bound_are_refused_during_an_outage(mut server: Server) {
    server.run(&[]).await;
    let (link, mut reports) = subscribed_link(&server).await;
    server.kill();
    assert_eq!(reports.next().await, Report::Lost);
    let mut queued = 0;
    while link.publish(channel(5), Bytes::from_static(b"message")) {
        queued += 1;
        assert!(queued <= 16_384);
    }
    assert_eq!(queued, 16_384);
    server.run(&[]).await;
    all_return(&mut reports, Instant::now()).await;
    // The receiver is as fast as the server, on any machine that is not overloaded.
    let mut received = 0;
    while received < queued {
        match reports.next().await {
            Report::Message(..) => received += 1,
            Report::Overflowed(_) => break,
            report => panic!("{report:?}"),
        }
    }
    assert!(link.publish(channel(5), Bytes::from_static(b"message")));
}

async fn subscriptions_change_during_an_outage(mut server: Server) {
    server.run(&[]).await;
    let (link, mut reports) = link(&server);
    link.subscribe(channel(1));
    link.subscribe(channel(2));
    reports.subscribed([channel(1), channel(2)]).await;
    server.kill();
    assert_eq!(reports.next().await, Report::Lost);
    link.unsubscribe(channel(1));
    link.subscribe(channel(3));
    for _ in 0..10_000 {
        link.unsubscribe(channel(4));
        link.subscribe(channel(4));
    }
    link.unsubscribe(channel(4));
    server.run(&[]).await;
    reports.subscribed([channel(2), channel(3)]).await;
    for index in [1, 4, 3] {
        assert!(link.publish(channel(index), Bytes::new()));
    }
    assert_eq!(reports.message().await, (channel(3), Bytes::new()));
}

async fn link_that_is_dropped_closes_its_connection(mut server: Server) {
    server.run(&[]).await;
    let (link, mut reports) = subscribed_link(&server).await;
    drop(link);
    reports.dropped().await;
    server.closed_by_all().await;
}

async fn link_that_is_dropped_while_nothing_can_be_written_closes_its_connection(mut server: Server) {
    server.run(&[]).await;
    let (link, mut reports) = subscribed_link(&server).await;
    server.pause();
    while link.publish(channel(1), Bytes::from(vec![0; 1024 * 1024])) {
        tokio::task::yield_now().await;
    }
    drop(link);
    reports.dropped().await;
    server.closed_by_all().await;
}

async fn link_that_is_dropped_during_an_outage_drops_its_receiver(mut server: Server) {
    server.run(&[]).await;
    let (link, mut reports) = subscribed_link(&server).await;
    server.kill();
    assert_eq!(reports.next().await, Report::Lost);
    drop(link);
    reports.dropped().await;
}

async fn long_outages_end_without_a_call(mut server: Server) {
    server.run(&[]).await;
    let mut links = [subscribed_link(&server).await, subscribed_link(&server).await];
    for seconds in [20, 120] {
        for is_killed in [true, false] {
            if is_killed {
                server.kill();
            } else if seconds < 120 {
                server.pause();
            } else {
                continue;
            }
            for (_, reports) in &mut links {
                assert_eq!(reports.next().await, Report::Lost);
            }
            sleep(Duration::from_secs(seconds)).await;
            if is_killed {
                server.run(&[]).await;
            } else {
                server.proceed();
            }
            let returned_at = Instant::now();
            for (_, reports) in &mut links {
                all_return(reports, returned_at).await;
            }
            messages_flow(&mut links).await;
        }
    }
}
