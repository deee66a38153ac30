//! Limits of handshakes and of what a refused client can cost.

use std::future::IntoFuture;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use futures_util::future::join_all;
use http::request::Parts;
use http::{HeaderValue, Response};
use portcullis::testing::connect;
use portcullis::{AllowAny, DenyAll, Endpoint, Error, Limits, Rate, Result, consumer};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::common::log_capture::LogCapture;
use crate::common::{Member, member};

struct Turnstile;

#[consumer(user = Member, connect = AllowAny)]
impl Turnstile {
    #[action(permission = DenyAll)]
    async fn pass(&self) {}
}

/// Authenticates by the query: `7` is the member with this id.
async fn authenticate(parts: &Parts) -> Result<Option<Member>> {
    Ok(parts.uri.query().and_then(|query| query.parse().ok()).map(|id| member(id, &[])))
}

fn endpoint(limits: Limits) -> Endpoint<Turnstile> {
    portcullis::websocket(Turnstile).authenticate(authenticate).limits(limits)
}

/// Serves an endpoint so that it knows the addresses of its clients.
async fn serve(endpoint: Endpoint<Turnstile>) -> SocketAddr {
    let router = Router::new().route("/ws", endpoint.into_route());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(axum::serve(listener, service).into_future());
    address
}

type Refused = Response<Option<Vec<u8>>>;

/// Connects from an address of the loopback network, with lines of the header `X-Forwarded-For`. Returns the response if the
/// handshake is rejected.
async fn connect_from(client: &str, server: SocketAddr, query: &str, forwarded: &[&str]) -> Result<(), Refused> {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::new(client.parse::<IpAddr>().unwrap(), 0)).unwrap();
    let stream = socket.connect(server).await.unwrap();
    let mut request = format!("ws://{server}/ws?{query}").into_client_request().unwrap();
    for line in forwarded {
        request.headers_mut().append("x-forwarded-for", HeaderValue::from_str(line).unwrap());
    }
    match client_async(request, stream).await {
        Ok(_) => Ok(()),
        Err(tungstenite::Error::Http(response)) => Err(*response),
        Err(error) => panic!("{error}"),
    }
}

const THREE: Rate = Rate::per_hour(1).burst(3);

#[cfg(target_os = "linux")]
#[tokio::test]
async fn handshakes_are_limited_per_address() {
    let server = serve(endpoint(Limits { handshakes_per_address: Some(THREE), ..Limits::default() })).await;
    for client in ["127.0.0.1", "127.0.0.2"] {
        for _ in 0..3 {
            connect_from(client, server, "", &[]).await.unwrap();
        }
        // A header of the client changes nothing.
        for forwarded in [&[][..], &["192.0.2.1"]] {
            let refused = connect_from(client, server, "", forwarded).await.unwrap_err();
            assert_eq!((refused.status().as_u16(), &refused.headers()["retry-after"]), (429, &HeaderValue::from(3600)));
        }
    }
}

#[tokio::test]
async fn handshakes_behind_proxies_are_limited_by_the_address_of_the_client() {
    let limits = Limits { handshakes_per_address: Some(THREE), ..Limits::default() };
    let server = serve(endpoint(limits).behind_proxies("x-forwarded-for", 2)).await;
    // The client sends other addresses each time. The proxies append its own, and the address of the first proxy.
    let mut accepted = 0;
    for number in 0..10 {
        let sent = format!("10.0.0.{number}, 10.0.1.{number}");
        for proxies in [&["198.51.100.1, 192.0.2.1"][..], &["198.51.100.1", "192.0.2.1"]] {
            let lines: Vec<_> = [&*sent].into_iter().chain(proxies.iter().copied()).collect();
            accepted += usize::from(connect_from("127.0.0.1", server, "", &lines).await.is_ok());
        }
    }
    assert_eq!(accepted, 3);
    connect_from("127.0.0.1", server, "", &["198.51.100.2, 192.0.2.1"]).await.unwrap();
    // Fewer entries than proxies, or none that is an address: that of the socket.
    let lines = ["10.0.0.1", "", "unknown, 192.0.2.1", "10.0.0.2", "10.0.0.3"];
    let outcomes =
        join_all(lines.map(|line| async move { connect_from("127.0.0.1", server, "", &[line]).await })).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 3);
}

#[tokio::test]
async fn client_without_an_address_is_rejected_if_addresses_are_limited() {
    let log = LogCapture::start();
    let endpoint = endpoint(Limits { handshakes_per_address: Some(THREE), ..Limits::default() });
    // Other tests may have used up the log entries of clients whose address is unknown; there are new ones each second.
    let logged = async {
        loop {
            assert_eq!(connect(&endpoint).open().await.unwrap_err().status(), 500);
            if log.take().iter().any(|line| line.contains("into_make_service_with_connect_info")) {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(30), logged).await.expect("the log says why");
}

#[tokio::test]
async fn handshakes_are_limited_per_user() {
    let endpoint = endpoint(Limits { handshakes_per_user: Some(THREE), ..Limits::default() });
    for user in [1, 2] {
        for _ in 0..3 {
            connect(&endpoint).path(&format!("/?{user}")).open().await.unwrap();
        }
        assert_eq!(connect(&endpoint).path(&format!("/?{user}")).open().await.unwrap_err().status(), 429);
        assert_eq!(connect(&endpoint).user(member(user, &[])).open().await.unwrap_err().status(), 429);
    }
    for _ in 0..10 {
        connect(&endpoint).open().await.unwrap();
    }
}

#[tokio::test]
async fn handshakes_in_progress_are_bounded() {
    let (began, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let state = (began.clone(), go_on.clone());
    let endpoint = portcullis::websocket(Turnstile)
        .limits(Limits { max_pending_handshakes: 10, ..Limits::default() })
        .authenticate(move |_: &Parts| {
            let (began, go_on) = state.clone();
            async move {
                began.notify_one();
                go_on.notified().await;
                Err::<Option<Member>, _>(Error::unauthenticated())
            }
        });
    let server = serve(endpoint).await;
    let mut waiting = Vec::new();
    for _ in 0..10 {
        waiting.push(tokio::spawn(async move { connect_from("127.0.0.1", server, "", &[]).await }));
        began.notified().await;
    }
    for _ in 0..20 {
        let refused = connect_from("127.0.0.1", server, "", &[]).await.unwrap_err();
        assert_eq!((refused.status().as_u16(), &refused.headers()["retry-after"]), (503, &HeaderValue::from(1)));
    }
    // A client that is gone makes room, once the server has noticed.
    waiting.pop().unwrap().abort();
    loop {
        let mut next = tokio::spawn(async move { connect_from("127.0.0.1", server, "", &[]).await });
        tokio::select! {
            () = began.notified() => break waiting.push(next),
            outcome = &mut next => assert_eq!(outcome.unwrap().unwrap_err().status(), 503),
        }
    }
    while waiting.iter().any(|handshake| !handshake.is_finished()) {
        go_on.notify_waiters();
        tokio::task::yield_now().await;
    }
    for handshake in waiting {
        assert_eq!(handshake.await.unwrap().unwrap_err().status(), 401);
    }
}

#[tokio::test]
async fn log_entries_of_refusals_are_bounded_per_client() {
    let log = LogCapture::start();
    let endpoint = endpoint(Limits::default());
    let mut flood = connect(&endpoint).open().await.unwrap();
    let mut lines = 0;
    for _ in 0..1000 {
        assert_eq!(flood.call("pass").await.status(), 403);
        lines += log.take().iter().filter(|line| line.contains("refused")).count();
    }
    assert!((50..100).contains(&lines), "{lines} entries");
    let mut other = connect(&endpoint).open().await.unwrap();
    assert_eq!(other.call("pass").await.status(), 403);
    assert!(log.take().iter().any(|line| line.contains("refused")), "another client has entries of its own");
}

#[test]
fn number_and_header_of_proxies_are_checked_at_start_up() {
    let endpoint = |name: &'static str, proxies| {
        std::panic::catch_unwind(move || portcullis::websocket(Turnstile).behind_proxies(name, proxies)).map(|_| ())
    };
    for (name, proxies) in [("x-forwarded-for", 0), ("forwarded", 1), ("not a name", 1)] {
        assert!(endpoint(name, proxies).is_err(), "{name}");
    }
    assert!(endpoint("x-real-ip", 1).is_ok());
}

/// What is limited is a rate, not a number of connections.
#[tokio::test]
async fn allowance_fills_up_again() {
    let rate = Rate::per_second(1000).burst(1);
    let endpoint = endpoint(Limits { handshakes_per_user: Some(rate), ..Limits::default() });
    let mut accepted = 0;
    let deadline = tokio::time::Instant::now() + Duration::from_mins(1);
    while accepted < 20 {
        accepted += usize::from(connect(&endpoint).path("/?1").open().await.is_ok());
        assert!(tokio::time::Instant::now() < deadline);
    }
}
