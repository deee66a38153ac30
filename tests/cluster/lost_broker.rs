//! The page of the chat example, over two processes whose broker is killed.

use std::io::Write as _;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Duration, Instant, sleep};

use super::processes::{CORA, Chat, send};
use crate::common::browser::{Browser, chromium};

/// The longest wait before a test fails.
const PATIENCE: Duration = Duration::from_mins(1);

/// A Redis server, which is killed when it is dropped.
struct Redis(Child);

impl Redis {
    /// Starts a server and waits until it answers. `None` if it is not installed.
    async fn start(port: u16) -> Option<Redis> {
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", "", "--appendonly", "no"]);
        let Ok(process) = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn() else {
            assert!(std::env::var_os("CI").is_none(), "redis-server is not installed");
            let notice = b"\n*** SKIPPED: redis-server is not installed, so a lost broker was NOT tested ***\n";
            let _ = std::io::stderr().write_all(notice);
            return None;
        };
        let (mut server, deadline) = (Redis(process), Instant::now() + PATIENCE);
        while !answers(port).await {
            assert!(server.0.try_wait().unwrap().is_none(), "redis-server has ended");
            assert!(Instant::now() < deadline, "redis-server does not answer");
            // A process reports nothing when it listens.
            sleep(Duration::from_millis(5)).await;
        }
        Some(server)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn answers(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)).await else { return false };
    let mut answer = [0; 5];
    stream.write_all(b"PING\r\n").await.is_ok() && stream.read_exact(&mut answer).await.is_ok() && &answer == b"+PONG"
}

/// A port below those of outgoing connections, so that none of them takes it while the server is down.
fn free_port() -> u16 {
    let ports = std::iter::repeat_with(|| 20_000 + (getrandom::u32().unwrap() % 12_000) as u16);
    let mut free_ports = ports.filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    free_ports.next().unwrap()
}

/// An expression that holds if a user's column shows a text.
fn shows(user: &str, text: &str) -> String {
    let list = format!("document.querySelector('.column[data-user=\"{user}\"] .messages')");
    format!("{list}?.innerText.includes({}) === true", json!(text))
}

#[tokio::test]
async fn page_shows_a_lost_broker_and_loads_what_it_has_missed() {
    let Some(program) = chromium() else { return };
    let port = free_port();
    let Some(redis) = Redis::start(port).await else { return };
    let chat = Chat::start(&format!("redis://127.0.0.1:{port}"), "lost").await;
    let mut cora = chat.enter(1, CORA).await;
    let mut browser = Browser::start(program).await;
    browser.open(chat.address(0)).await;
    browser.wait_for("document.body?.hasAttribute('data-ready')").await;
    send(&mut cora, "while it is there").await;
    browser.wait_for(&shows("Pia", "while it is there")).await;
    assert_eq!(browser.evaluate("document.getElementById('broker').hidden").await, true);

    drop(redis);
    browser.wait_for("!document.getElementById('broker').hidden").await;
    send(&mut cora, "while it is away").await;
    let mut second_browser = Browser::start(chromium().unwrap()).await;
    second_browser.open(chat.address(0)).await;
    second_browser.wait_for("document.getElementById('broker')?.hidden === false").await;
    assert_eq!(browser.evaluate(&shows("Pia", "while it is away")).await, false);

    let _redis = Redis::start(port).await.unwrap();
    browser.wait_for("document.getElementById('broker').hidden").await;
    browser.wait_for(&shows("Pia", "while it is away")).await;
    second_browser.wait_for("document.getElementById('broker').hidden").await;
    send(&mut cora, "while it is back").await;
    browser.wait_for(&shows("Pia", "while it is back")).await;
}
