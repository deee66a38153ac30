//! The clients: attentive ones, which check what they get, and ones that misbehave.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::inbox::{Closed, Inbox};
use crate::ledger::{Abandoned, Ledger, Mistake, Stage, count, lock};
use crate::requests::{ACTIONS, Action};

/// How long a reply may take before it counts as lost: longer than all time limits of the server.
const REPLY_TIMEOUT: Duration = Duration::from_secs(40);
/// How long a reply may take at most while the connections are drained, when the source does not fail any more.
const MAX_REPLY_DELAY: Duration = Duration::from_secs(3);
/// How often a fourth of the attentive clients disconnects at once.
const MASS_DISCONNECT_INTERVAL: Duration = Duration::from_secs(20);
/// How many requests are sent at once, at most: fewer than detached actions may run.
const MAX_REQUESTS: u8 = 5;
const RECEIVE_BUFFER: u32 = 8 * 1024;
/// How often it is measured whether the clients get CPU time.
const STALL_PROBE: Duration = Duration::from_millis(20);

/// The code that stands for a connection that has ended without a close frame.
const BROKEN: u16 = 0;
/// The close code of a drain.
const SERVICE_RESTART: u16 = 1012;
/// The close code of a connection for which the source of grants has failed for too long.
const INTERNAL_ERROR: u16 = 4500;

/// What a client does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Behavior {
    /// Reads at once, and checks what it gets.
    Attentive,
    /// Reads a frame now and then.
    SlowReader,
    /// Neither reads nor closes, as a peer behind a broken network.
    HalfOpen,
    /// Sends random bytes.
    Garbage,
    /// Ends in the middle of a frame.
    CutFrame,
}

impl Behavior {
    pub(crate) const ALL: [Behavior; 5] =
        [Behavior::Attentive, Behavior::SlowReader, Behavior::HalfOpen, Behavior::Garbage, Behavior::CutFrame];

    /// Of eight clients, one misbehaves.
    pub(crate) fn of(user: usize) -> Behavior {
        if user % 8 == 7 { Behavior::ALL[1 + user / 8 % 4] } else { Behavior::Attentive }
    }
}

/// Runs one client per user, until the connections are drained.
pub(crate) async fn run(address: SocketAddr, ledger: Arc<Ledger>, seed: u64) {
    let mut clients = JoinSet::new();
    let started = Instant::now();
    for user in 0..ledger.users().len() {
        let random = fastrand::Rng::with_seed(seed ^ (user as u64) << 20);
        let client = Client { address, ledger: ledger.clone(), user, random, started };
        clients.spawn(client.run());
        if user % 50 == 49 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    tokio::select! {
        _ = clients.join_all() => {}
        () = measure_stalls(&ledger) => {}
    }
}

/// Records for how long the clients get no CPU time while they are drained. Never returns.
async fn measure_stalls(ledger: &Ledger) {
    loop {
        let before = Instant::now();
        tokio::time::sleep(STALL_PROBE).await;
        if ledger.stage() >= Stage::Drain {
            let stall = before.elapsed().saturating_sub(STALL_PROBE).as_millis().try_into().unwrap_or(u64::MAX);
            ledger.stall_millis.fetch_max(stall, Ordering::SeqCst);
        }
    }
}

struct Client {
    address: SocketAddr,
    ledger: Arc<Ledger>,
    user: usize,
    random: fastrand::Rng,
    started: Instant,
}

type Socket = WebSocketStream<TcpStream>;

impl Client {
    async fn run(self) {
        match Behavior::of(self.user) {
            Behavior::Attentive => self.be_attentive().await,
            behavior => self.misbehave(behavior).await,
        }
    }

    /// Opens a connection. Waits and tries again if the server rejects it.
    async fn connect(&self) -> Option<Socket> {
        while self.ledger.stage() < Stage::Drain {
            if let Some(socket) = self.try_connect().await {
                count(&self.ledger.connections);
                self.ledger.record_behavior(Behavior::of(self.user));
                return Some(socket);
            }
            if self.ledger.stage() < Stage::Drain {
                count(&self.ledger.rejected);
            }
            self.ledger.sleep(Duration::from_millis(500), Stage::Drain).await;
        }
        None
    }

    async fn try_connect(&self) -> Option<Socket> {
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
        let (mut round, mut serial) = (0, 0);
        let ledger = self.ledger.clone();
        while let Some(mut socket) = self.connect().await {
            let mut inbox = Inbox::new(&ledger, self.user);
            let code = loop {
                // All clients leave their rounds at the same time.
                let now = self.started.elapsed().as_secs() / MASS_DISCONNECT_INTERVAL.as_secs();
                let is_new = std::mem::replace(&mut round, now) != now;
                if is_new && self.random.u8(..4) == 0 && ledger.stage() == Stage::Load {
                    break None;
                }
                if self.send_requests(&mut socket, &mut inbox, &mut serial).await.is_err() {
                    break Some(BROKEN);
                }
                let pause = Instant::now() + Duration::from_millis(self.random.u64(500..1500));
                if let Err(Closed(code)) = self.receive(&mut socket, &mut inbox, pause).await {
                    break Some(code);
                }
            };
            match code {
                Some(code) => self.record_close(code, &mut inbox),
                // All requests have their replies.
                None => count(&ledger.left),
            }
        }
    }

    /// Sends some requests at once.
    async fn send_requests(
        &mut self,
        socket: &mut Socket,
        inbox: &mut Inbox<'_>,
        serial: &mut u64,
    ) -> Result<(), tungstenite::Error> {
        for turn in 0..self.random.u8(1..=MAX_REQUESTS) {
            let action = if turn == 0 { Action::Watch } else { ACTIONS[self.random.usize(..ACTIONS.len())] };
            *serial += 1;
            socket.feed(Message::text(inbox.request(action, *serial))).await?;
        }
        socket.flush().await
    }

    /// Receives until the pause is over and all requests have their replies.
    async fn receive(&self, socket: &mut Socket, inbox: &mut Inbox<'_>, pause: Instant) -> Result<(), Closed> {
        while inbox.pending() > 0 || Instant::now() < pause {
            let until = if inbox.pending() == 0 { pause } else { pause + REPLY_TIMEOUT };
            tokio::select! {
                frame = socket.next() => match frame {
                    Some(Ok(frame)) => inbox.receive(&frame)?,
                    Some(Err(_)) | None => return Err(Closed(BROKEN)),
                },
                () = sleep_until(until.into()) => inbox.give_up(Duration::ZERO),
            }
        }
        Ok(())
    }

    /// Records that the server has closed the connection. A drain and a fault of the source excuse what was not answered.
    fn record_close(&self, code: u16, inbox: &mut Inbox<'_>) {
        let ledger = &self.ledger;
        ledger.record_close(Behavior::Attentive, code);
        let excuse = match (code, ledger.drain_start.get()) {
            (SERVICE_RESTART, Some(start)) => {
                lock(&ledger.drained).push(start.elapsed());
                inbox.give_up(MAX_REPLY_DELAY);
                Some(Abandoned::Drain)
            }
            (INTERNAL_ERROR, _) if ledger.users()[self.user].excuses_close() => Some(Abandoned::Fault),
            _ => None,
        };
        if let Some(excuse) = excuse {
            ledger.abandoned[excuse as usize].fetch_add(inbox.pending(), Ordering::Relaxed);
        } else {
            ledger.record_mistakes(Mistake::Close, 1, || format!("user {}: closed with {code}", self.user));
            inbox.give_up(Duration::ZERO);
        }
    }

    async fn misbehave(mut self, behavior: Behavior) {
        let ledger = self.ledger.clone();
        let mut serial = 0;
        while let Some(mut socket) = self.connect().await {
            let mut inbox = Inbox::new(&ledger, self.user);
            serial += 1;
            // If the connection has ended, so does each behavior.
            let _ = socket.send(Message::text(inbox.request(Action::Watch, serial))).await;
            match behavior {
                Behavior::Attentive | Behavior::SlowReader => self.read_slowly(&mut socket, &mut inbox).await,
                Behavior::HalfOpen => ledger.sleep(Duration::from_secs(25), Stage::Drain).await,
                Behavior::Garbage => {
                    let garbage: Vec<u8> = std::iter::repeat_with(|| self.random.u8(..)).take(200).collect();
                    let stream = socket.get_mut();
                    let _ = stream.write_all(&garbage).await;
                    // Until the server closes it.
                    let closed = async { while stream.read(&mut [0; 1024]).await.is_ok_and(|bytes| bytes > 0) {} };
                    let _ = timeout(Duration::from_secs(15), closed).await;
                }
                Behavior::CutFrame => {
                    // A masked text frame of 100 bytes, of which 30 are sent.
                    let mut frame = vec![0x81, 0x80 | 0x64, 1, 2, 3, 4];
                    frame.resize(30, b'x');
                    let _ = socket.get_mut().write_all(&frame).await;
                }
            }
            drop(socket);
            ledger.abandoned[Abandoned::Misbehavior as usize].fetch_add(inbox.pending(), Ordering::Relaxed);
            drop(inbox);
            ledger.sleep(Duration::from_millis(self.random.u64(500..1500)), Stage::Drain).await;
        }
    }

    /// Reads a frame every two seconds, until the server closes the connection.
    async fn read_slowly(&self, socket: &mut Socket, inbox: &mut Inbox<'_>) {
        let code = loop {
            match timeout(Duration::from_mins(1), socket.next()).await {
                Ok(Some(Ok(frame))) => match inbox.receive(&frame) {
                    Ok(()) => {}
                    Err(Closed(code)) => break code,
                },
                Ok(Some(Err(_)) | None) | Err(_) => break BROKEN,
            }
            self.ledger.sleep(Duration::from_secs(2), Stage::Drain).await;
            // A sign of life: the pings of the server are behind the events. If the connection has ended, reading fails.
            let _ = socket.send(Message::Pong(Bytes::new())).await;
        };
        self.ledger.record_close(Behavior::SlowReader, code);
    }
}
