//! Serves an application as `axum::serve` does, with a time limit for the headers of a request. HTTP/1 alone, by which browsers
//! open a WebSocket unless the server offers HTTP/2.

use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::serve::Listener;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tower_service::Service;

/// Serves until `shutdown` completes, and then until the requests that are in progress are answered, for at most
/// `shutdown_timeout`.
///
/// A client that takes longer than `header_timeout` to send the headers of a request, or to begin one, is disconnected. The
/// time does not apply to a WebSocket, which has the limits of its endpoint, and which a drain closes.
pub(crate) async fn serve(
    mut listener: TcpListener,
    app: Router,
    header_timeout: Duration,
    shutdown_timeout: Duration,
    shutdown: impl Future<Output = ()>,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(header_timeout);
    let (stop, _) = watch::channel(());
    let (mut connections, mut shutdown) = (JoinSet::new(), pin!(shutdown));
    loop {
        let (stream, address): (_, SocketAddr) = tokio::select! {
            accepted = Listener::accept(&mut listener) => accepted,
            Some(_) = connections.join_next() => continue,
            () = &mut shutdown => break,
        };
        let app = app.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(address));
            app.clone().call(request)
        });
        let connection = http.serve_connection(TokioIo::new(stream), service).with_upgrades();
        let mut stopped = stop.subscribe();
        connections.spawn(async move {
            let mut connection = pin!(connection);
            tokio::select! {
                // An error concerns this connection alone: its client has sent no request in time, or is gone.
                _ = connection.as_mut() => return,
                _ = stopped.changed() => connection.as_mut().graceful_shutdown(),
            }
            let _ = connection.await;
        });
    }
    drop((listener, stop));
    let ended = async { while connections.join_next().await.is_some() {} };
    // Connections that have not ended are cut when the set is dropped.
    let _ = timeout(shutdown_timeout, ended).await;
}
