//! The stream of a connection by the HTTP server that accepts it.

use std::convert::Infallible;

use axum::Router;
use axum::extract::Request;
use axum::routing::any;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::*;

/// Upgrades a request, and sends whether the stream has a socket writer.
fn accept(parts: &mut Parts, results: mpsc::UnboundedSender<bool>) -> Response {
    let upgrade = Upgrade::from_parts(parts).unwrap();
    upgrade.accept(1024, None, |mut transport| async move {
        use crate::transport::Transport;
        results.send(transport.take_socket_writer().is_some()).unwrap();
    })
}

/// Requests an upgrade.
async fn request(listener_address: std::net::SocketAddr) {
    let stream = TcpStream::connect(listener_address).await.unwrap();
    let request = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
    stream.writable().await.unwrap();
    assert_eq!(stream.try_write(request).unwrap(), request.len());
    stream.readable().await.unwrap();
}

#[tokio::test]
async fn plain_socket_has_a_writer_whichever_server_accepts_it() {
    let (results, mut received) = mpsc::unbounded_channel();

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let by_axum = results.clone();
    let upgrade = move |request: Request| async move { accept(&mut request.into_parts().0, by_axum) };
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/", any(upgrade))).await });
    request(address).await;
    assert_eq!(received.recv().await, Some(true), "`axum::serve`");

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let service = service_fn(move |request: http::Request<hyper::body::Incoming>| {
            let response = accept(&mut request.into_parts().0, results.clone());
            async { Ok::<_, Infallible>(response) }
        });
        http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades().await
    });
    request(address).await;
    assert_eq!(received.recv().await, Some(true), "hyper's server for HTTP/1");
}
