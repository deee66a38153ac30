//! What only NATS does to a link.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::super::{NatsBroker, OpenLink};
use super::channel;
use super::recorder::{Report, recorder};
use super::server::{Program, Server};

#[test]
fn url_that_is_invalid_is_a_fault() {
    for url in [
        "",
        "http://127.0.0.1",
        "nats://",
        "nats://127.0.0.1,",
        "127.0.0.1:port",
        "ws://127.0.0.1",
        "nats://127.0.0.1,127.0.0.2",
    ] {
        let error = NatsBroker::new(url, "chat").unwrap_err();
        assert_eq!(error.status(), 500, "{url:?}");
    }
    for url in ["nats://127.0.0.1:4222", "127.0.0.2", "tls://127.0.0.3"] {
        NatsBroker::new(url, "chat").unwrap();
    }
}

#[test]
fn debug_form_does_not_show_the_password() {
    let broker = NatsBroker::new("nats://user:secret@127.0.0.1", "chat").unwrap();
    assert_eq!(format!("{broker:?}"), r#"NatsBroker { prefix: "chat", .. }"#);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn message_above_the_limit_of_the_server_is_dropped_alone() {
    let Some(mut server) = Server::prepare(Program::Nats) else { return };
    server.run_with_configuration("max_payload: 1000").await;
    let (receiver, mut reports) = recorder();
    let link = server.broker().open("chat", receiver);
    link.subscribe(channel(1));
    reports.subscribed([channel(1)]).await;
    assert!(link.publish(channel(1), Bytes::from(vec![0; 1001])));
    assert!(link.publish(channel(1), Bytes::from(vec![0; 1000])));
    assert_eq!(reports.message().await, (channel(1), Bytes::from(vec![0; 1000])));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subscription_that_the_server_refuses_is_a_loss_and_is_retried() {
    let Some(mut server) = Server::prepare(Program::Nats) else { return };
    let permissions = r#"{ subscribe: ["_INBOX.>", "test.chat.1"], publish: ">" }"#;
    let user = format!("{{ user: limited, password: secret, permissions: {permissions} }}");
    server.run_with_configuration(&format!("authorization: {{ users: [{user}] }}")).await;
    let url = server.url().replace("nats://", "nats://limited:secret@");
    let (receiver, mut reports) = recorder();
    let link = NatsBroker::new(&url, "test").unwrap().open("chat", receiver);
    link.subscribe(channel(1));
    reports.subscribed([channel(1)]).await;

    link.subscribe(channel(2));
    reports.lost().await;
    // From now on both are refused together.
    let deadline = Instant::now() + Duration::from_secs(4);
    let mut losses = 1;
    while let Some(report) = reports.next_until(deadline).await {
        assert_ne!(report, Report::Subscribed(channel(2)));
        losses += i32::from(report == Report::Lost);
    }
    assert!(losses < 15, "{losses} losses");
    link.unsubscribe(channel(2));
    while reports.next().await != Report::Subscribed(channel(1)) {}
    assert!(link.publish(channel(1), Bytes::from_static(b"allowed")));
    assert_eq!(reports.message().await, (channel(1), Bytes::from_static(b"allowed")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credentials_are_those_of_the_url() {
    for (configuration, credentials) in
        [(r#"user: "a@b", password: "100%/x""#, "a%40b:100%25%2Fx"), (r#"token: "t:0k3n""#, "t%3A0k3n")]
    {
        let Some(mut server) = Server::prepare(Program::Nats) else { return };
        server.run_with_configuration(&format!("authorization: {{ {configuration} }}")).await;
        let url = server.url().replace("nats://", &format!("nats://{credentials}@"));
        let (receiver, mut reports) = recorder();
        let link = NatsBroker::new(&url, "test").unwrap().open("chat", receiver);
        link.subscribe(channel(1));
        reports.subscribed([channel(1)]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_password_is_retried_without_a_report() {
    let Some(mut server) = Server::prepare(Program::Nats) else { return };
    server.run_with_configuration("authorization: { user: limited, password: secret }").await;
    let url = server.url().replace("nats://", "nats://limited:wrong@");
    let (receiver, mut reports) = recorder();
    let link = NatsBroker::new(&url, "test").unwrap().open("chat", receiver);
    link.subscribe(channel(1));
    assert_eq!(reports.next_until(Instant::now() + Duration::from_secs(1)).await, None);
}
