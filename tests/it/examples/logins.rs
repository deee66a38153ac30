//! The examples that log in: by a cookie, by a JSON Web Token and by a ticket. Logging out closes the socket.

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::small::{PATIENCE, Server, serve};
use crate::common::clients::Socket;

/// A header of a request.
type Header<'h> = (&'static str, &'h str);

/// A server of an example.
struct Site {
    _server: Server,
    host: String,
}

impl Site {
    async fn start(example: &str, arguments: &[&str]) -> Site {
        let (server, address) = serve(example, arguments).await;
        let host = address.strip_prefix("ws://").unwrap().strip_suffix("/ws").unwrap().to_owned();
        Site { _server: server, host }
    }

    /// Sends a POST request, and returns the head and the body of the response.
    async fn post(&self, path: &str, header: Header<'_>) -> (String, String) {
        let mut stream = TcpStream::connect(&self.host).await.unwrap();
        let (name, value) = header;
        let request =
            format!("POST {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{name}: {value}\r\n\r\n", self.host);
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut response = String::new();
        timeout(PATIENCE, stream.read_to_string(&mut response)).await.expect("no response").unwrap();
        let (head, body) = response.split_once("\r\n\r\n").unwrap();
        (head.to_owned(), body.to_owned())
    }

    /// Logs in and returns the cookie.
    async fn log_in(&self) -> String {
        let (head, _) = self.post("/login?name=ada", ("x-none", "")).await;
        let cookie = head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
        cookie.split(';').next().unwrap().to_owned()
    }

    /// Opens the socket. The error is the status of the rejection.
    async fn open(&self, header: Header<'_>) -> Result<Socket, u16> {
        let mut request = format!("ws://{}/ws", self.host).into_client_request().unwrap();
        request.headers_mut().insert(header.0, header.1.parse().unwrap());
        match connect_async(request).await {
            Ok((socket, _)) => Ok(socket),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }
}

async fn receive(socket: &mut Socket) -> Message {
    timeout(PATIENCE, socket.next()).await.expect("nothing comes").expect("the socket is gone").unwrap()
}

async fn call(socket: &mut Socket, message: &str) -> Value {
    socket.send(Message::text(message)).await.unwrap();
    serde_json::from_str(receive(socket).await.to_text().unwrap()).unwrap()
}

async fn assert_is_ada(socket: &mut Socket) {
    let reply = call(socket, r#"{"action":"whoami"}"#).await;
    assert_eq!(reply["data"], "ada", "{reply}");
}

/// Asserts that the server closes the socket.
async fn assert_closed(mut socket: Socket, code: u16) {
    let Message::Close(Some(close)) = receive(&mut socket).await else { panic!("it is not closed") };
    assert_eq!(u16::from(close.code), code);
}

#[tokio::test]
async fn cookie_example_closes_the_socket_when_its_user_logs_out() {
    let site = Site::start("login_cookie", &[]).await;
    assert_eq!(site.open(("cookie", "id=unknown")).await.err(), Some(401));
    let cookie = site.log_in().await;
    let mut socket = site.open(("cookie", &cookie)).await.unwrap();
    assert_is_ada(&mut socket).await;
    site.post("/logout", ("cookie", &cookie)).await;
    assert_closed(socket, 4403).await;
    assert_eq!(site.open(("cookie", &cookie)).await.err(), Some(401));
}

#[tokio::test]
async fn jwt_example_closes_the_socket_when_its_user_logs_out() {
    let site = Site::start("login_jwt", &[]).await;
    assert_eq!(site.open(("authorization", "Bearer forged")).await.err(), Some(401));
    let (_, token) = site.post("/login?name=ada", ("x-none", "")).await;
    let bearer = format!("Bearer {token}");
    let mut socket = site.open(("authorization", &bearer)).await.unwrap();
    assert_is_ada(&mut socket).await;
    site.post("/logout", ("authorization", &bearer)).await;
    assert_closed(socket, 4403).await;
    assert_eq!(site.open(("authorization", &bearer)).await.err(), Some(401));
}

#[tokio::test]
async fn jwt_example_closes_the_socket_when_the_newest_token_expires() {
    let site = Site::start("login_jwt", &["3"]).await;
    let token = async || site.post("/login?name=ada", ("x-none", "")).await.1;
    let mut socket = site.open(("authorization", &format!("Bearer {}", token().await))).await.unwrap();
    let renewal = format!(r#"{{"action":"authenticate","token":"{}"}}"#, token().await);
    assert_eq!(call(&mut socket, &renewal).await["status"], 204);
    assert_is_ada(&mut socket).await;
    assert_closed(socket, 4401).await;
}

#[tokio::test]
async fn ticket_example_closes_the_socket_and_voids_tickets_when_its_user_logs_out() {
    let site = Site::start("login_ticket", &[]).await;
    let cookie = site.log_in().await;
    let ticket = async || site.post("/ticket", ("cookie", &cookie)).await.1;
    let protocols = |ticket: &str| format!("chat.v1, ticket.{ticket}");
    let used = protocols(&ticket().await);
    let mut socket = site.open(("sec-websocket-protocol", &used)).await.unwrap();
    assert_is_ada(&mut socket).await;
    assert_eq!(site.open(("sec-websocket-protocol", &used)).await.err(), Some(401));
    let late = protocols(&ticket().await);
    site.post("/logout", ("cookie", &cookie)).await;
    assert_closed(socket, 4403).await;
    assert_eq!(site.open(("sec-websocket-protocol", &late)).await.err(), Some(401));
    let (head, _) = site.post("/ticket", ("cookie", &cookie)).await;
    assert!(head.starts_with("HTTP/1.1 401"), "{head}");
}
