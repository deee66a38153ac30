//! The opening handshake: which requests are upgraded, and how others are rejected.

use std::fmt::Write as _;

use portcullis::{AllowAny, consumer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::common::clients;

struct UpgradeServer;

#[consumer]
impl UpgradeServer {
    #[action(permission = AllowAny)]
    async fn ping(&self) {}
}

const UPGRADE: [(&str, &str); 5] = [
    ("Host", "localhost"),
    ("Connection", "keep-alive, Upgrade"),
    ("Upgrade", "WebSocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
];

/// Sends a request with a header added or replaced (`None` removes it), and returns the head of the response.
async fn response(address: &str, method: &str, name: &str, value: Option<&str>) -> String {
    let mut request = format!("{method} /ws HTTP/1.1\r\n");
    let others = UPGRADE.into_iter().filter(|header| header.0 != name);
    for (name, value) in others.chain(value.map(|value| (name, value))) {
        write!(request, "{name}: {value}\r\n").unwrap();
    }
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(format!("{request}\r\n").as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap().to_lowercase()
}

#[tokio::test]
async fn upgrade_is_accepted_with_the_key_of_the_rfc() {
    let address = clients::serve(portcullis::websocket(UpgradeServer)).await;
    let response = response(&address, "GET", "X-Other", None).await;
    assert!(response.starts_with("http/1.1 101"), "{response}");
    for header in ["connection: upgrade", "upgrade: websocket", "sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="] {
        assert!(response.contains(&format!("\r\n{header}\r\n")), "{header} in {response}");
    }
}

#[tokio::test]
async fn request_that_cannot_be_upgraded_is_rejected_with_its_status() {
    let address = clients::serve(portcullis::websocket(UpgradeServer)).await;
    let cases = [
        ("POST", "X-Other", None, 405),
        ("GET", "Connection", None, 400),
        ("GET", "Connection", Some("keep-alive"), 400),
        ("GET", "Connection", Some("upgraded"), 400),
        ("GET", "Upgrade", None, 400),
        ("GET", "Upgrade", Some("h2c"), 400),
        ("GET", "Sec-WebSocket-Version", None, 426),
        ("GET", "Sec-WebSocket-Version", Some("8"), 426),
        ("GET", "Sec-WebSocket-Key", None, 400),
        ("GET", "Sec-WebSocket-Key", Some(""), 400),
        ("GET", "Sec-WebSocket-Key", Some("c2hvcnQ="), 400),
        ("GET", "Sec-WebSocket-Key", Some("dGhlIHNhbXBsZSBub25jZQ"), 400),
    ];
    for (method, name, value, status) in cases {
        let response = response(&address, method, name, value).await;
        assert!(response.starts_with(&format!("http/1.1 {status}")), "{method}, {name}: {value:?}: {response}");
        let header = match status {
            405 => "\r\nallow: get\r\n",
            426 => "\r\nsec-websocket-version: 13\r\n",
            _ => "",
        };
        assert!(response.contains(header), "{header} in {response}");
    }
}

#[tokio::test]
async fn service_called_without_a_server_cannot_upgrade() {
    use tower_service::Service as _;
    let mut request = http::Request::get("/ws");
    for (name, value) in UPGRADE {
        request = request.header(name, value);
    }
    let mut endpoint = portcullis::websocket(UpgradeServer);
    let response = endpoint.call(request.body(()).unwrap()).await.unwrap();
    assert_eq!(response.status(), 426);
}
