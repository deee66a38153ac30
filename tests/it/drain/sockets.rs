//! Draining on real sockets, beside the graceful shutdown of axum.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use futures_util::future::{Either, select};
use futures_util::{SinkExt, StreamExt};
use portcullis::{Drain, DrainHandle, Endpoint};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::{AT_ONCE, Harbour, State, figures, harbour};
use crate::common::clients::Socket;
use crate::common::raw_socket;

/// Serves the endpoint with a readiness route. The server stops when the drain has finished.
async fn serve() -> (Arc<State>, DrainHandle, String, JoinHandle<()>) {
    let (state, harbour): (Arc<State>, Endpoint<Harbour>) = harbour();
    let drain = harbour.drain_handle();
    let (readiness, finished) = (drain.clone(), drain.clone());
    let app =
        Router::new().route("/ws", harbour.into_route()).route("/ready", get(async move || readiness.readiness()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = axum::serve(listener, app).with_graceful_shutdown(async move {
        finished.finished().await;
    });
    (state, drain, address, tokio::spawn(async move { server.await.unwrap() }))
}

/// Sends a request and returns the head of the response, in lower case.
async fn head(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap().to_lowercase()
}

#[tokio::test]
async fn upgrade_is_accepted_during_the_notice_and_rejected_with_retry_after_then() {
    const READY: &str = "GET /ready HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let (state, drain, address, server) = serve().await;
    assert!(head(&address, READY).await.starts_with("http/1.1 200"));
    let hour = Duration::from_hours(1);
    drain.start(Drain { notice: hour, window: hour, deadline: 3 * hour });
    assert!(head(&address, READY).await.starts_with("http/1.1 503"));
    let (mut socket, _) = connect_async(format!("ws://{address}/ws")).await.unwrap();
    // Keeps the drain from finishing.
    socket.send(Message::text(super::message("wait", "first"))).await.unwrap();
    state.started(1).await;
    drain.start(AT_ONCE);
    let Some(Ok(Message::Close(Some(close)))) = socket.next().await else { panic!("no close") };
    assert_eq!((u16::from(close.code), close.reason.as_str()), (1012, "service restart"));

    let rejected = head(&address, &raw_socket::request("")).await;
    assert!(rejected.starts_with("http/1.1 503"), "{rejected}");
    assert!(rejected.contains("\r\nretry-after: 1\r\n"), "{rejected}");
    assert!(head(&address, READY).await.starts_with("http/1.1 503"), "the server still answers");

    state.resume(1);
    assert_eq!(figures(drain.finished().await), [1, 1, 0]);
    server.await.unwrap();
    assert_eq!(state.log(), ["first begins", "first ends", "disconnected: 1012, left None"]);
}

/// Connects again and again until an upgrade is rejected. Returns the sockets.
async fn connect_until_rejected(url: String) -> Vec<Socket> {
    let mut sockets = Vec::new();
    loop {
        match connect_async(&url).await {
            Ok((socket, _)) => sockets.push(socket),
            Err(Error::Http(response)) => {
                assert_eq!(response.status(), 503);
                return sockets;
            }
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sockets_that_connect_while_closing_begins_are_closed_or_rejected() {
    let (state, drain, address, server) = serve().await;
    // Keeps the server from stopping before all clients are rejected.
    let (mut waiting, _) = connect_async(format!("ws://{address}/ws")).await.unwrap();
    waiting.send(Message::text(super::message("wait", "first"))).await.unwrap();
    state.started(1).await;
    let clients: Vec<_> = (0..8).map(|_| tokio::spawn(connect_until_rejected(format!("ws://{address}/ws")))).collect();
    while state.connected.load(Ordering::SeqCst) < 100 {
        tokio::task::yield_now().await;
    }
    drain.start(AT_ONCE);
    let mut sockets = vec![waiting];
    for client in clients {
        sockets.extend(client.await.unwrap());
    }
    state.resume(1);
    for socket in &mut sockets {
        let Some(Ok(Message::Close(Some(close)))) = socket.next().await else { panic!("no close") };
        assert_eq!(u16::from(close.code), 1012);
    }
    let connections = sockets.len();
    drop(sockets);
    assert_eq!(figures(drain.finished().await), [connections, connections, 0]);
    server.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sockets_under_load_are_all_closed_and_no_action_is_lost() {
    const CONNECTIONS: usize = 200;
    let (state, drain, address, server) = serve().await;
    let mut clients = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (socket, _) = connect_async(format!("ws://{address}/ws")).await.unwrap();
        clients.spawn(async move {
            let (mut sender, mut receiver) = socket.split();
            let sending = async {
                while sender.send(Message::text(r#"{"action":"load","millis":5}"#)).await.is_ok() {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            };
            let close = async {
                loop {
                    match receiver.next().await {
                        Some(Ok(Message::Close(close))) => return u16::from(close.unwrap().code),
                        Some(Ok(_)) => {}
                        end => panic!("{end:?} without a close frame"),
                    }
                }
            };
            let (close, sending) = (std::pin::pin!(close), std::pin::pin!(sending));
            match select(close, sending).await {
                Either::Left((code, _)) => code,
                Either::Right(((), close)) => close.await,
            }
        });
    }
    drain.start(Drain { notice: Duration::ZERO, window: Duration::from_secs(1), deadline: Duration::from_mins(1) });
    while let Some(code) = clients.join_next().await {
        assert_eq!(code.unwrap(), 1012);
    }
    assert_eq!(figures(drain.finished().await), [CONNECTIONS, CONNECTIONS, 0]);
    server.await.unwrap();
    let [begun, ended, disconnected] = state.counts();
    assert!(begun >= CONNECTIONS / 2, "{begun} actions");
    assert_eq!((ended, disconnected), (begun, CONNECTIONS));
}
