//! The example `metrics`: its text for Prometheus, and its health.

use std::env::consts::EXE_EXTENSION;
use std::process::Command;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

use crate::common::browser::Process;

/// Returns the response to a GET request.
async fn get(host: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(host).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    response
}

#[tokio::test]
async fn metrics_example_serves_prometheus_text_and_health() {
    let tests = std::env::current_exe().unwrap();
    let built = tests.parent().unwrap().parent().unwrap().join("examples/metrics").with_extension(EXE_EXTENSION);
    assert!(built.is_file(), "{} is not there; build the examples first", built.display());
    let operators = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let host = &operators.local_addr().unwrap().to_string();
    // The example binds it.
    drop(operators);
    let (_server, address) = Process::start(Command::new(built).args(["127.0.0.1:0", host]), "listening on ").await;
    let (mut socket, _) = connect_async(&address).await.unwrap();
    for message in [r#"{"action":"join","room":1}"#, r#"{"action":"say","room":1,"text":"hi"}"#] {
        socket.send(Message::text(message)).await.unwrap();
        socket.next().await.unwrap().unwrap();
    }
    socket.next().await.unwrap().unwrap();
    let text = get(host, "/metrics").await;
    for line in [
        "# TYPE portcullis_action_duration histogram",
        "portcullis_server_active_connections{consumer=\"Chat\"} 1",
        "portcullis_handshake_accepted{consumer=\"Chat\"} 1",
        "portcullis_events_published{consumer=\"Chat\",event=\"said\"} 1",
        "portcullis_events_delivered{consumer=\"Chat\"} 1",
        "portcullis_action_duration_count{consumer=\"Chat\",action=\"say\",route=\"\",status=\"200\"} 1",
    ] {
        assert!(text.lines().any(|printed| printed == line), "`{line}` is not in\n{text}");
    }
    let bucket =
        "portcullis_action_duration_bucket{consumer=\"Chat\",action=\"say\",route=\"\",status=\"200\",le=\"10\"} 1";
    assert!(text.contains(bucket), "{text}");
    let clients = address.strip_prefix("ws://").unwrap().strip_suffix("/ws").unwrap();
    assert!(get(clients, "/metrics").await.starts_with("HTTP/1.1 404"), "it is not for clients");
    let health = get(host, "/health").await;
    let (head, body) = health.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!((body["state"].as_str(), body["connections"]["open"].as_u64()), (Some("ready"), Some(1)));
}
