//! What only Redis does to a link.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use redis::aio::MultiplexedConnection;
use redis::{Client, cmd};
use tokio::time::Instant;

use super::super::{BrokerLink, OpenLink, RedisBroker};
use super::channel;
use super::recorder::{Report, Reports, recorder};
use super::server::{Program, Server};

/// Opens a connection to the server, apart from those of links.
pub(super) async fn admin(server: &Server) -> MultiplexedConnection {
    Client::open(server.url()).unwrap().get_multiplexed_async_connection().await.unwrap()
}

/// A link that subscribes to channel 1.
async fn subscribed_link(server: &Server) -> (Arc<dyn BrokerLink>, Reports) {
    let (receiver, mut reports) = recorder();
    let link = server.broker().open("chat", receiver);
    link.subscribe(channel(1));
    reports.subscribed([channel(1)]).await;
    (link, reports)
}

/// Awaits one loss, and that the link then works again.
async fn link_returns(link: &Arc<dyn BrokerLink>, reports: &mut Reports) {
    reports.lost().await;
    reports.subscribed([channel(1)]).await;
    assert!(link.publish(channel(1), Bytes::from_static(b"after")));
    assert_eq!(reports.message().await, (channel(1), Bytes::from_static(b"after")));
}

#[test]
fn url_that_is_invalid_is_a_fault() {
    for url in ["", "127.0.0.1", "http://127.0.0.1", "redis://"] {
        let error = RedisBroker::new(url, "chat").unwrap_err();
        assert_eq!(error.status(), 500, "{url:?}");
    }
}

#[test]
fn debug_form_does_not_show_the_password() {
    let broker = RedisBroker::new("redis://user:secret@127.0.0.1", "chat").unwrap();
    assert_eq!(format!("{broker:?}"), r#"RedisBroker { prefix: "chat", .. }"#);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connection_that_the_server_closes_returns() {
    let Some(server) = Server::start(Program::Redis).await else { return };
    let (link, mut reports) = subscribed_link(&server).await;
    let mut admin = admin(&server).await;
    for _ in 0..3 {
        let killed: u32 = cmd("CLIENT").arg(&["KILL", "TYPE", "pubsub"]).query_async(&mut admin).await.unwrap();
        assert_eq!(killed, 1);
        link_returns(&link, &mut reports).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn short_pause_of_the_server_is_no_loss() {
    let Some(server) = Server::start(Program::Redis).await else { return };
    let (link, mut reports) = subscribed_link(&server).await;
    let pause = cmd("CLIENT").arg(&["PAUSE", "1000", "ALL"]).exec_async(&mut admin(&server).await).await;
    pause.unwrap();
    assert!(link.publish(channel(1), Bytes::from_static(b"paused")));
    assert_eq!(reports.message().await, (channel(1), Bytes::from_static(b"paused")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_pause_of_the_server_is_a_loss() {
    let Some(server) = Server::start(Program::Redis).await else { return };
    let (link, mut reports) = subscribed_link(&server).await;
    let pause = cmd("CLIENT").arg(&["PAUSE", "5000", "ALL"]).exec_async(&mut admin(&server).await).await;
    pause.unwrap();
    link_returns(&link, &mut reports).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connection_whose_output_buffer_overruns_returns() {
    let Some(mut server) = Server::prepare(Program::Redis) else { return };
    server.run(&["--client-output-buffer-limit", "pubsub", "65536", "0", "0"]).await;
    let (link, mut reports) = subscribed_link(&server).await;
    for _ in 0..3 {
        assert!(link.publish(channel(1), Bytes::from(vec![0; 512 * 1024])));
        link_returns(&link, &mut reports).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subscription_that_the_server_refuses_is_a_loss_and_is_retried() {
    let Some(server) = Server::start(Program::Redis).await else { return };
    let mut admin = admin(&server).await;
    let user = ["SETUSER", "limited", "on", ">secret", "~*", "+@all", "resetchannels", "&test:chat:1"];
    cmd("ACL").arg(&user).exec_async(&mut admin).await.unwrap();
    let url = server.url().replace("redis://", "redis://limited:secret@");
    let (receiver, mut reports) = recorder();
    let link = RedisBroker::new(&url, "test").unwrap().open("chat", receiver);
    link.subscribe(channel(1));
    reports.subscribed([channel(1)]).await;

    link.subscribe(channel(2));
    let deadline = Instant::now() + Duration::from_secs(5);
    let mut losses = 0;
    while let Some(report) = reports.next_until(deadline).await {
        match report {
            Report::Lost => losses += 1,
            report => assert_eq!(report, Report::Subscribed(channel(1))),
        }
    }
    // With delays of 50, 100, 200, 400, 800 and 1000 ms, less up to a half.
    assert!((4..15).contains(&losses), "{losses} losses");

    cmd("ACL").arg(&["SETUSER", "limited", "&test:chat:2"]).exec_async(&mut admin).await.unwrap();
    while reports.next().await != Report::Subscribed(channel(2)) {}
    assert!(link.publish(channel(2), Bytes::from_static(b"allowed")));
    assert_eq!(reports.message().await, (channel(2), Bytes::from_static(b"allowed")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn server_of_a_cluster_is_not_used() {
    let Some(mut server) = Server::prepare(Program::Redis) else { return };
    server.run(&["--cluster-enabled", "yes"]).await;
    let (receiver, mut reports) = recorder();
    let link = server.broker().open("chat", receiver);
    link.subscribe(channel(1));
    assert_eq!(reports.next_until(Instant::now() + Duration::from_secs(1)).await, None);
    server.kill();
    server.run(&[]).await;
    reports.subscribed([channel(1)]).await;
}
