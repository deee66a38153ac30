//! The clients: attentive ones, which check what they get, and ones that misbehave.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::ledger::{Ledger, count};

/// How long a reply may take before it counts as lost: longer than all time limits of the server.
const REPLY_TIMEOUT: Duration = Duration::from_secs(30);
/// How often a fourth of the attentive clients disconnects at once.
const MASS_DISCONNECT_INTERVAL: Duration = Duration::from_secs(20);
const RECEIVE_BUFFER: u32 = 8 * 1024;
const ACTIONS: [&str; 6] = ["echo", "echo", "read", "slow", "count", "watch"];

/// What a client that misbehaves does.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Misbehavior {
    /// Reads a frame now and then.
    SlowReader,
    /// Neither reads nor closes, as a peer behind a broken network.
    HalfOpen,
    /// Sends random bytes.
    Garbage,
    /// Ends in the middle of a frame.
    CutFrame,
}

impl Misbehavior {
    pub(crate) const ALL: [Misbehavior; 4] =
        [Misbehavior::SlowReader, Misbehavior::HalfOpen, Misbehavior::Garbage, Misbehavior::CutFrame];
}

/// Runs one client per user, until the record is stopped. Of eight clients, one misbehaves.
pub(crate) async fn run(address: SocketAddr, ledger: Arc<Ledger>, seed: u64) {
    let mut clients = JoinSet::new();
    let started = Instant::now();
    for user in 0..ledger.users() {
        let random = fastrand::Rng::with_seed(seed ^ (user as u64) << 20);
        let client = Client { address, ledger: ledger.clone(), user, random, started };
        clients.spawn(async move {
            match (user % 8, user / 8 % 4) {
                (7, kind) => client.misbehave(Misbehavior::ALL[kind]).await,
                _ => client.be_attentive().await,
            }
        });
        if user % 50 == 49 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    clients.join_all().await;
}

struct Client {
    address: SocketAddr,
    ledger: Arc<Ledger>,
    user: usize,
    random: fastrand::Rng,
    started: Instant,
}

/// A request that waits for its last reply.
struct Pending {
    sent_at: Instant,
    is_stream: bool,
}

impl Client {
    /// Opens a connection. Waits and tries again if the server rejects it.
    async fn connect(&self) -> Option<WebSocketStream<TcpStream>> {
        while !self.ledger.is_stopped() {
            if let Some(socket) = self.try_connect().await {
                count(&self.ledger.connections);
                return Some(socket);
            }
            count(&self.ledger.rejected);
            self.ledger.sleep(Duration::from_millis(500)).await;
        }
        None
    }

    async fn try_connect(&self) -> Option<WebSocketStream<TcpStream>> {
        let socket = TcpSocket::new_v4().ok()?;
        socket.set_recv_buffer_size(RECEIVE_BUFFER).ok()?;
        let stream = socket.connect(self.address).await.ok()?;
        let config = WebSocketConfig::default().read_buffer_size(4096).write_buffer_size(0);
        let url = format!("ws://{}/ws?user={}", self.address, self.user);
        let handshake = client_async_with_config(url, stream, Some(config));
        Some(timeout(REPLY_TIMEOUT, handshake).await.ok()?.ok()?.0)
    }

    /// Sends requests, waits for all replies, and checks the events in between; connects again whenever the connection ends.
    async fn be_attentive(mut self) {
        let mut round = 0;
        while let Some(mut socket) = self.connect().await {
            let mut pending = HashMap::new();
            let mut last_event = None;
            let code = loop {
                // All clients leave their rounds at the same time.
                let now = self.started.elapsed().as_secs() / MASS_DISCONNECT_INTERVAL.as_secs();
                if std::mem::replace(&mut round, now) != now && self.random.u8(..4) == 0 {
                    break None;
                }
                if self.send_requests(&mut socket, &mut pending).await.is_err() {
                    break Some(0);
                }
                let pause = Instant::now() + Duration::from_millis(self.random.u64(500..1500));
                if let Err(code) = self.receive(&mut socket, &mut pending, &mut last_event, pause).await {
                    break Some(code);
                }
            };
            let waiting = pending.len() as u64;
            self.ledger.abandoned.fetch_add(waiting, std::sync::atomic::Ordering::Relaxed);
            if let Some(code) = code {
                self.ledger.record_close(true, code);
            }
        }
    }

    /// Sends some requests at once.
    async fn send_requests(
        &mut self,
        socket: &mut WebSocketStream<TcpStream>,
        pending: &mut HashMap<u64, Pending>,
    ) -> Result<(), tokio_tungstenite::tungstenite::Error> {
        for turn in 0..self.random.u8(1..6) {
            let action = if pending.is_empty() && turn == 0 { "watch" } else { ACTIONS[self.random.usize(..6)] };
            let id = self.random.u64(..1 << 53);
            let message = json!({ "action": action, "request_id": id, "n": id, "to": 3 });
            pending.insert(id, Pending { sent_at: Instant::now(), is_stream: action == "count" });
            count(&self.ledger.requests);
            socket.feed(Message::text(message.to_string())).await?;
        }
        socket.flush().await
    }

    /// Receives until the pause is over and all requests have their replies. The error is the code of the close.
    async fn receive(
        &self,
        socket: &mut WebSocketStream<TcpStream>,
        pending: &mut HashMap<u64, Pending>,
        last_event: &mut Option<u64>,
        pause: Instant,
    ) -> Result<(), u16> {
        while !pending.is_empty() || Instant::now() < pause {
            let until = if pending.is_empty() { pause } else { pause + REPLY_TIMEOUT };
            let frame = tokio::select! {
                frame = socket.next() => frame,
                () = sleep_until(until.into()) => {
                    for _ in pending.drain() {
                        count(&self.ledger.lost);
                    }
                    continue;
                }
            };
            match frame {
                Some(Ok(Message::Text(text))) => {
                    let frame: Value = serde_json::from_str(&text).unwrap_or_default();
                    self.record(&frame, pending, last_event);
                }
                Some(Ok(Message::Close(close))) => return Err(close.map_or(1005, |close| close.code.into())),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(0),
            }
        }
        Ok(())
    }

    fn record(&self, frame: &Value, pending: &mut HashMap<u64, Pending>, last_event: &mut Option<u64>) {
        if frame["event"] == "said" {
            let number = frame["data"]["number"].as_u64().unwrap_or_default();
            self.ledger.record_event(self.user, number, last_event.replace(number));
            return;
        }
        let id = frame["request_id"].as_u64().unwrap_or(u64::MAX);
        let status = frame["status"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or(0);
        let is_last = |pending: &mut Pending| !pending.is_stream || frame["last"] != false;
        if pending.get_mut(&id).is_some_and(is_last)
            && let Some(request) = pending.remove(&id)
        {
            self.ledger.record_reply(status, Some(request.sent_at.elapsed()));
        }
    }

    async fn misbehave(mut self, kind: Misbehavior) {
        while let Some(mut socket) = self.connect().await {
            self.ledger.record_misbehavior(kind as usize);
            let watch = Message::text(json!({ "action": "watch" }).to_string());
            if socket.send(watch).await.is_err() {
                continue;
            }
            match kind {
                Misbehavior::SlowReader => self.read_slowly(&mut socket).await,
                Misbehavior::HalfOpen => self.ledger.sleep(Duration::from_secs(25)).await,
                Misbehavior::Garbage => {
                    let garbage: Vec<u8> = std::iter::repeat_with(|| self.random.u8(..)).take(200).collect();
                    let stream = socket.get_mut();
                    let _ = stream.write_all(&garbage).await;
                    // Until the server closes it.
                    let closed = async { while stream.read(&mut [0; 1024]).await.is_ok_and(|bytes| bytes > 0) {} };
                    let _ = timeout(Duration::from_secs(15), closed).await;
                }
                Misbehavior::CutFrame => {
                    // A masked text frame of 100 bytes, of which 30 are sent.
                    let mut frame = vec![0x81, 0x80 | 0x64, 1, 2, 3, 4];
                    frame.resize(30, b'x');
                    let _ = socket.get_mut().write_all(&frame).await;
                }
            }
            drop(socket);
            self.ledger.sleep(Duration::from_millis(self.random.u64(500..1500))).await;
        }
    }

    /// Reads a frame every two seconds, until the server closes the connection.
    async fn read_slowly(&self, socket: &mut WebSocketStream<TcpStream>) {
        loop {
            match timeout(Duration::from_mins(1), socket.next()).await {
                Ok(Some(Ok(Message::Close(close)))) => {
                    return self.ledger.record_close(false, close.map_or(1005, |close| close.code.into()));
                }
                Ok(Some(Ok(_))) => {}
                Ok(Some(Err(_)) | None) | Err(_) => return self.ledger.record_close(false, 0),
            }
            if !self.ledger.is_stopped() {
                self.ledger.sleep(Duration::from_secs(2)).await;
            }
        }
    }
}
