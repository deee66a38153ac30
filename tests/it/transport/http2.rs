//! WebSocket connections over HTTP/2, which begin with an extended `CONNECT` (RFC 8441).

use axum::body::Body;
use futures_util::{SinkExt, StreamExt};
use http::{Method, Request, StatusCode, Version};
use hyper::client::conn::http2::SendRequest;
use hyper::ext::Protocol;
use hyper_util::rt::TokioIo;
use portcullis::{AllowAny, consumer};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::common::clients::{connect_http2, serve};

struct Http2Server;

#[consumer]
impl Http2Server {
    #[action(permission = AllowAny)]
    async fn repeat(&self, times: usize) -> String {
        "x".repeat(times)
    }
}

/// Serves the consumer, and connects an HTTP/2 client to it.
async fn connect() -> SendRequest<Body> {
    connect_http2(&serve(portcullis::websocket(Http2Server)).await).await
}

fn request(method: Method, protocol: Option<&'static str>) -> Request<Body> {
    let request = Request::builder().version(Version::HTTP_2).method(method).uri("http://localhost/ws");
    let mut request = request.header("sec-websocket-version", "13").body(Body::empty()).unwrap();
    if let Some(protocol) = protocol {
        request.extensions_mut().insert(Protocol::from_static(protocol));
    }
    request
}

#[tokio::test]
async fn extended_connect_opens_a_connection() {
    let mut client = connect().await;
    let response = client.send_request(request(Method::CONNECT, Some("websocket"))).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let stream = TokioIo::new(hyper::upgrade::on(response).await.unwrap());
    let mut socket = WebSocketStream::from_raw_socket(stream, Role::Client, None).await;
    for times in [1, 200_000] {
        socket.send(Message::text(format!(r#"{{"action":"repeat","times":{times}}}"#))).await.unwrap();
        assert!(socket.next().await.unwrap().unwrap().len() > times);
    }
    socket.close(None).await.unwrap();
    assert!(matches!(socket.next().await, Some(Ok(Message::Close(_)))));
}

#[tokio::test]
async fn other_http2_request_is_rejected() {
    let mut client = connect().await;
    for (method, protocol, status) in [
        (Method::GET, None, StatusCode::METHOD_NOT_ALLOWED),
        (Method::CONNECT, Some("connect-udp"), StatusCode::BAD_REQUEST),
    ] {
        let response = client.send_request(request(method, protocol)).await.unwrap();
        assert_eq!(response.status(), status, "{protocol:?}");
        let allowed = response.headers().get("allow");
        assert_eq!(allowed.is_some_and(|method| method == "CONNECT"), status == StatusCode::METHOD_NOT_ALLOWED);
    }
}
