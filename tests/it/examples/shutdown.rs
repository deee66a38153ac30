//! What the server examples do when they are told to end.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

use super::small::{PATIENCE, example};
use crate::common::clients::Socket;

/// A server process that is killed on drop.
struct Server {
    process: Child,
    /// What it prints, on both streams.
    lines: UnboundedReceiver<String>,
    /// The URL of its WebSocket.
    url: String,
}

impl Server {
    /// Starts an example on a free port.
    async fn start(name: &str) -> Server {
        let mut command = example(name);
        match name {
            "rooms" | "chat" => command.args(["--port", "0"]),
            _ => command.arg("127.0.0.1:0"),
        };
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = unbounded_channel();
        forward(process.stdout.take().unwrap(), sender.clone());
        forward(process.stderr.take().unwrap(), sender);
        let mut server = Server { process, lines, url: String::new() };
        let line = server.line_with("listening on ").await;
        let address = line.split("://").nth(1).unwrap().split('/').next().unwrap();
        server.url = format!("ws://{address}/ws");
        server
    }

    /// Returns the next line that contains a text.
    async fn line_with(&mut self, wanted: &str) -> String {
        let search = async {
            while let Some(line) = self.lines.recv().await {
                if line.contains(wanted) {
                    return Some(line);
                }
            }
            None
        };
        let found = timeout(PATIENCE, search).await.ok().flatten();
        found.unwrap_or_else(|| panic!("`{wanted}` was not printed"))
    }

    async fn connect(&self) -> Socket {
        connect_async(&self.url).await.unwrap().0
    }

    /// Sends SIGTERM.
    fn terminate(&self) {
        let kill = ["-c", "kill -TERM \"$0\"", &self.process.id().to_string()];
        assert!(Command::new("sh").args(kill).status().unwrap().success());
    }

    /// Waits for its end, and asserts that it has not failed.
    async fn expect_success(mut self) {
        // Its streams end with it.
        while timeout(PATIENCE, self.lines.recv()).await.expect("the process does not end").is_some() {}
        assert!(self.process.wait().unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn forward(output: impl Read + Send + 'static, lines: UnboundedSender<String>) {
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let _ = lines.send(line);
        }
    });
}

/// Waits for the close frame of the server, and completes the closing handshake. Other frames are dropped.
async fn closed(socket: &mut Socket) -> (u16, String) {
    let mut received = None;
    while let Some(Ok(frame)) = timeout(PATIENCE, socket.next()).await.expect("the connection is not closed") {
        if let Message::Close(frame) = frame {
            received = frame.map(|frame| (frame.code.into(), frame.reason.to_string()));
        }
    }
    received.expect("the connection ended without a close frame")
}

fn service_restart() -> (u16, String) {
    (1012, "service restart".to_owned())
}

#[tokio::test]
async fn server_example_closes_its_connections_on_sigterm_and_ends() {
    join_all(["echo", "identity", "rooms", "chat", "login_cookie", "login_jwt", "login_ticket"].map(async |name| {
        let server = Server::start(name).await;
        let socket = connect_async(&server.url).await.ok();
        let needs_login = ["chat", "login_cookie", "login_ticket"].contains(&name);
        assert_eq!(socket.is_none(), needs_login, "{name}: a client that has not logged in");
        server.terminate();
        if let Some((mut socket, _)) = socket {
            assert_eq!(closed(&mut socket).await, service_restart(), "{name}");
        }
        server.expect_success().await;
    }))
    .await;
}

#[tokio::test]
async fn second_sigterm_ends_the_drain_at_once() {
    let mut server = Server::start("rooms").await;
    let mut early = server.connect().await;
    let start = Instant::now();
    server.terminate();
    server.line_with("drain started").await;
    let mut late = server.connect().await;
    early.send(Message::text(r#"{"action":"whoami"}"#)).await.unwrap();
    assert!(early.next().await.unwrap().unwrap().is_text(), "it is served during the notice");
    server.terminate();
    for socket in [&mut early, &mut late] {
        assert_eq!(closed(socket).await, service_restart());
    }
    server.line_with("DrainReport { closed: 2, finished: 2, cut: 0 }").await;
    server.expect_success().await;
    assert!(start.elapsed() < Duration::from_secs(10), "the second connection is closed after 10 s otherwise");
}

#[tokio::test]
async fn sigterm_after_the_drain_ends_a_server_that_waits_for_a_request() {
    let mut server = Server::start("rooms").await;
    let address = server.url.strip_prefix("ws://").unwrap().strip_suffix("/ws").unwrap();
    let mut unfinished = TcpStream::connect(address).await.unwrap();
    unfinished.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    // The server has accepted the connection before this one.
    drop(server.connect().await);
    server.terminate();
    server.line_with("drain started").await;
    server.terminate();
    server.line_with("drain finished").await;
    while server.process.try_wait().unwrap().is_none() {
        server.terminate();
        tokio::task::yield_now().await;
    }
    assert_eq!(server.process.wait().unwrap().code(), Some(1), "it has waited for the rest of the request");
}
