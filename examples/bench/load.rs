//! The load: WebSocket clients with precomputed frames, much cheaper than the servers that they measure.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::world::{MEMBERS, ROOMS};

const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
/// The first request id. All ids have the same number of digits, so that a frame can be reused.
pub(crate) const FIRST_ID: u32 = 1_000_000;
const LAST_ID: u32 = 9_999_999;
/// The bytes of the text of a message.
const TEXT: usize = 56;
/// The beginning of a successful reply, and the text before its request id.
const GOOD_START: &[u8] = br#"{"errors":[],"data":{"ok":true,"id":"#;
const GOOD_END: &str = r#""status":200,"request_id":"#;
/// More bytes than all replies that can be in flight at once.
const INBOX: usize = 8 * 1024;

/// One client.
pub(crate) struct Connection {
    stream: TcpStream,
    pub(crate) request: Request,
    /// What it receives, replies at first.
    pub(crate) expected: Expected,
    outbox: Vec<u8>,
    inbox: Box<[u8]>,
    filled: usize,
}

/// Why a connection was not opened.
#[derive(Debug)]
pub(crate) enum NotOpen {
    Refused(u16),
    Broken(io::Error),
}

impl From<io::Error> for NotOpen {
    fn from(error: io::Error) -> NotOpen {
        NotOpen::Broken(error)
    }
}

impl From<NotOpen> for io::Error {
    fn from(reason: NotOpen) -> io::Error {
        match reason {
            NotOpen::Refused(status) => io::Error::other(format!("the connection was refused with {status}")),
            NotOpen::Broken(error) => error,
        }
    }
}

impl Connection {
    /// Connects with this user's token; messages go to a room that depends on the user.
    pub(crate) async fn open(server: SocketAddr, user: u32) -> Result<Connection, NotOpen> {
        let stream = TcpStream::connect(server).await?;
        stream.set_nodelay(true)?;
        let request = Request::new("send_message", user % ROOMS, &text_of(TEXT));
        let expected = Expected::new(GOOD_START, format!("{GOOD_END}{FIRST_ID}}}"));
        let inbox = vec![0; INBOX].into_boxed_slice();
        let mut connection = Connection { stream, request, expected, outbox: Vec::new(), inbox, filled: 0 };
        connection.handshake(server, user).await?;
        Ok(connection)
    }

    async fn handshake(&mut self, server: SocketAddr, user: u32) -> Result<(), NotOpen> {
        let request = format!(
            "GET /ws?token=tok-{user} HTTP/1.1\r\nhost: {server}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: AAECAwQFBgcICQoLDA0ODw==\r\n\r\n"
        );
        self.stream.write_all(request.as_bytes()).await?;
        let end = loop {
            self.fill().await?;
            if let Some(end) = self.inbox[..self.filled].windows(4).position(|end| end == b"\r\n\r\n") {
                break end + 4;
            }
        };
        let head = String::from_utf8_lossy(&self.inbox[..end]);
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        match status {
            Some(101) => self.forget(end),
            Some(status) => return Err(NotOpen::Refused(status)),
            None => return Err(NotOpen::Broken(io::Error::other("that was no HTTP response"))),
        }
        Ok(())
    }

    /// Sends a message unchanged and returns the reply.
    pub(crate) async fn call(&mut self, text: &str) -> io::Result<String> {
        let frame = mask(text.as_bytes());
        self.stream.write_all(&frame).await?;
        self.next_text().await
    }

    /// Waits for a text and returns it.
    pub(crate) async fn next_text(&mut self) -> io::Result<String> {
        loop {
            if let Some(frame) = frame_in(&self.inbox[..self.filled])? {
                let reply = String::from_utf8_lossy(&self.inbox[frame.payload.clone()]).into_owned();
                self.forget(frame.payload.end);
                match frame.kind {
                    Kind::Text => return Ok(reply),
                    Kind::Ping => continue,
                }
            }
            self.fill().await?;
        }
    }

    /// Sends a number of messages at once and waits for all replies.
    pub(crate) async fn exchange(&mut self, messages: usize) -> io::Result<()> {
        self.send(messages).await?;
        let mut open = messages;
        while open > 0 {
            open -= self.receive().await?;
        }
        Ok(())
    }

    /// Keeps a number of messages in flight until the window ends, then waits for the last replies.
    async fn run(mut self, in_flight: usize, progress: Arc<Progress>) -> io::Result<Connection> {
        self.send(in_flight).await?;
        let mut open = in_flight;
        while open > 0 {
            let answered = self.receive().await?;
            open -= answered;
            progress.answered.fetch_add(answered as u64, Ordering::Relaxed);
            if !progress.end.load(Ordering::Relaxed) {
                self.send(answered).await?;
                open += answered;
            }
        }
        Ok(self)
    }

    /// Sends a number of messages in one write, with the bytes that are still to be sent.
    pub(crate) async fn send(&mut self, messages: usize) -> io::Result<()> {
        for _ in 0..messages {
            self.outbox.extend_from_slice(&self.request.frame);
            self.request.advance();
        }
        if !self.outbox.is_empty() {
            self.stream.write_all(&self.outbox).await?;
            self.outbox.clear();
        }
        Ok(())
    }

    /// Reads once and returns the number of complete replies. An unexpected reply is an error. If the future is dropped
    /// before it is ready, nothing is lost.
    pub(crate) async fn receive(&mut self) -> io::Result<usize> {
        self.fill().await?;
        let (mut at, mut answered) = (0, 0);
        while let Some(frame) = frame_in(&self.inbox[at..self.filled])? {
            let payload = &self.inbox[at..][frame.payload.clone()];
            match frame.kind {
                Kind::Text if self.expected.is(payload) => {
                    answered += 1;
                    self.expected.advance();
                }
                Kind::Text => {
                    let reply = String::from_utf8_lossy(payload);
                    return Err(io::Error::other(format!("not the expected reply: {reply}")));
                }
                Kind::Ping => self.outbox.extend_from_slice(&[0x8a, 0x80, 0, 0, 0, 0]),
            }
            at += frame.payload.end;
        }
        self.forget(at);
        Ok(answered)
    }

    async fn fill(&mut self) -> io::Result<()> {
        match self.stream.read(&mut self.inbox[self.filled..]).await? {
            0 => Err(io::Error::other("the server has closed the connection, or sent too much at once")),
            read => {
                self.filled += read;
                Ok(())
            }
        }
    }

    fn forget(&mut self, read: usize) {
        self.inbox.copy_within(read..self.filled, 0);
        self.filled -= read;
    }
}

/// The frames that a connection receives one after the other: any that begin and end so, with ids that count up.
pub(crate) struct Expected {
    start: &'static [u8],
    /// The end of the frame that comes next.
    end: Vec<u8>,
    digits: usize,
    id: u32,
}

impl Expected {
    /// The first id must be in the end of the frame.
    pub(crate) fn new(start: &'static [u8], end: String) -> Expected {
        let digits = end.find(&FIRST_ID.to_string()).unwrap_or_default();
        Expected { start, end: end.into_bytes(), digits, id: FIRST_ID }
    }

    fn is(&self, payload: &[u8]) -> bool {
        payload.starts_with(self.start) && payload.ends_with(&self.end)
    }

    fn advance(&mut self) {
        self.id = following(self.id);
        write_digits(self.id, &mut self.end[self.digits..]);
    }
}

/// The message of the load, ready to be sent except for its id.
pub(crate) struct Request {
    frame: Vec<u8>,
    header: usize,
    /// The places of the id in the message.
    digits: Vec<usize>,
    id: u32,
}

impl Request {
    /// Where the text contains the first id, it contains the id of each message.
    pub(crate) fn new(action: &str, room: u32, text: &str) -> Request {
        let message =
            format!(r#"{{"action":"{action}","route":"rooms/{room}/","request_id":{FIRST_ID},"text":"{text}"}}"#);
        let digits = message.match_indices(&FIRST_ID.to_string()).map(|(at, _)| at).collect();
        let frame = mask(message.as_bytes());
        Request { header: frame.len() - message.len(), frame, digits, id: FIRST_ID }
    }

    fn with_size(room: u32, bytes: usize) -> Request {
        let empty = Request::new("send_message", room, "");
        Request::new("send_message", room, &text_of(bytes.saturating_sub(empty.frame.len() - empty.header)))
    }

    fn advance(&mut self) {
        self.id = following(self.id);
        let mut digits = [0; 7];
        write_digits(self.id, &mut digits);
        for &first in &self.digits {
            for (place, digit) in digits.into_iter().enumerate() {
                let at = first + place;
                self.frame[self.header + at] = digit ^ MASK[at % 4];
            }
        }
    }
}

/// A text of so many bytes.
pub(crate) fn text_of(bytes: usize) -> String {
    "just a few words in a room; ".chars().cycle().take(bytes).collect()
}

fn following(id: u32) -> u32 {
    if id == LAST_ID { FIRST_ID } else { id + 1 }
}

fn write_digits(mut id: u32, place: &mut [u8]) {
    for digit in place[..7].iter_mut().rev() {
        *digit = b'0' + (id % 10) as u8;
        id /= 10;
    }
}

/// A masked text frame, with the length in as few bytes as possible: Portcullis refuses others.
fn mask(payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x81];
    if let Ok(length @ ..126) = u8::try_from(payload.len()) {
        frame.push(0x80 | length);
    } else {
        frame.push(0xfe);
        frame.extend(u16::try_from(payload.len()).unwrap_or(u16::MAX).to_be_bytes());
    }
    frame.extend(MASK);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

enum Kind {
    Text,
    Ping,
}

struct Frame {
    kind: Kind,
    payload: std::ops::Range<usize>,
}

/// The first frame in these bytes, if it is complete.
fn frame_in(bytes: &[u8]) -> io::Result<Option<Frame>> {
    let [first, length, ..] = *bytes else { return Ok(None) };
    let kind = match first {
        0x81 => Kind::Text,
        0x89 => Kind::Ping,
        _ => return Err(io::Error::other(format!("the server sent a frame that begins with {first:#x}"))),
    };
    let (start, length) = match (length, bytes) {
        (126, [_, _, high, low, ..]) => (4, usize::from(u16::from_be_bytes([*high, *low]))),
        (126, _) => return Ok(None),
        (127.., _) => return Err(io::Error::other("the server sent a frame that is too long")),
        (length, _) => (2, usize::from(length)),
    };
    let end = start + length;
    Ok((bytes.len() >= end).then_some(Frame { kind, payload: start..end }))
}

/// State that the clients of a window share.
#[derive(Default)]
pub(crate) struct Progress {
    pub(crate) answered: AtomicU64,
    end: AtomicBool,
}

/// Clients that work together.
pub(crate) struct Fleet {
    idle: Vec<Connection>,
    in_flight: usize,
}

impl Fleet {
    /// Opens a number of connections and keeps so many messages in flight on each.
    pub(crate) async fn open(server: SocketAddr, connections: u32, in_flight: usize) -> io::Result<Fleet> {
        Ok(Fleet { idle: Fleet::connect(server, connections).await?, in_flight })
    }

    /// Sends messages of so many bytes.
    pub(crate) fn with_size(mut self, bytes: usize) -> Fleet {
        for (user, connection) in (0..).zip(&mut self.idle) {
            connection.request = Request::with_size(user % ROOMS, bytes);
        }
        self
    }

    /// Opens a number of connections, all of members, a few at a time.
    pub(crate) async fn connect(server: SocketAddr, connections: u32) -> io::Result<Vec<Connection>> {
        const AT_ONCE: u32 = 32;
        let mut opening = JoinSet::new();
        for first in 0..AT_ONCE.min(connections) {
            opening.spawn(async move {
                let mut opened = Vec::new();
                for user in (first..connections).step_by(AT_ONCE as usize) {
                    opened.push(Connection::open(server, user % MEMBERS).await?);
                }
                Ok::<_, io::Error>(opened)
            });
        }
        let mut idle = Vec::new();
        for opened in opening.join_all().await {
            idle.extend(opened?);
        }
        Ok(idle)
    }

    /// Sends one message on every connection and waits for the replies.
    pub(crate) async fn use_once(&mut self) -> io::Result<()> {
        for connection in &mut self.idle {
            connection.exchange(1).await?;
        }
        Ok(())
    }

    /// Works for `warm_up` and `length`, and calls `sample` between and after the two.
    pub(crate) async fn work<T>(
        &mut self,
        warm_up: Duration,
        length: Duration,
        sample: impl Fn(&Progress) -> io::Result<T>,
    ) -> io::Result<(T, T)> {
        let progress = Arc::new(Progress::default());
        let mut working = JoinSet::new();
        for connection in self.idle.drain(..) {
            working.spawn(connection.run(self.in_flight, progress.clone()));
        }
        tokio::time::sleep(warm_up).await;
        let before = sample(&progress);
        tokio::time::sleep(length).await;
        let after = sample(&progress);
        progress.end.store(true, Ordering::Relaxed);
        for connection in working.join_all().await {
            self.idle.push(connection?);
        }
        Ok((before?, after?))
    }
}
