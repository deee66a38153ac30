//! The fuzz target of the transport: any bytes of a client, in any splits, over a stream that waits and fails anywhere.
//!
//! `cargo test` runs it on a few random inputs. libFuzzer runs it for as long as wanted (`cargo install cargo-bolero`):
//!
//! ```text
//! cargo bolero test --rustc-bootstrap --sanitizer NONE --package portcullis -T 20m \
//!     transport::websocket::fuzz::any_bytes_in_any_splits_give_the_same_messages_and_valid_frames
//! ```
//!
//! It writes its corpus and the inputs that fail to `__fuzz__` beside this file, and `cargo test` tries these first. It then
//! compares no shares of outcomes, whose minima are for random inputs.
//!
//! The other targets of this crate are `message::request::fuzz::any_text_is_read_as_the_protocol_defines` and
//! `dispatch::route_match::fuzz::any_route_in_any_tree_ends_where_a_plain_matcher_ends`.

mod scripted;

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::task::Waker;

use allocation_counter::measure;
use bytestring::ByteString;
use futures_util::StreamExt;
use tungstenite::error::ProtocolError;
use tungstenite::protocol::{Role, WebSocket};
use tungstenite::{Error, Message};

use super::super::codec::BINARY;
use super::*;
use crate::fuzz_outcomes::Outcomes;
use crate::sync::WakeCount;
use scripted::{End, Scripted};

const CONTINUATION: u8 = 0;
const CLOSE: u8 = 8;
const FIN: u8 = 0x80;

/// Whether random inputs reach what the target compares.
static OUTCOMES: Outcomes = Outcomes::new();

/// The first bytes of most frames.
const FIRST_BYTES: [u8; 10] = [
    FIN | TEXT,
    FIN | TEXT,
    FIN | BINARY,
    FIN | PING,
    FIN | PONG,
    FIN | CLOSE,
    TEXT,
    CONTINUATION,
    FIN | CONTINUATION,
    BINARY,
];
/// The first bytes of frames that are valid at the start of a message, and after a fragment of one.
const STARTS: [u8; 8] = [FIN | TEXT, FIN | TEXT, FIN | TEXT, FIN | BINARY, FIN | PING, FIN | PONG, FIN | CLOSE, TEXT];
const CONTINUATIONS: [u8; 6] =
    [FIN | CONTINUATION, FIN | CONTINUATION, CONTINUATION, FIN | PING, FIN | PONG, FIN | CLOSE];
/// Lengths at which something changes.
const LENGTHS: [usize; 8] = [0, 125, 126, 200, 16_370, 16_384, 40_000, 65_536];
/// An input may become at most this many bytes of a client, and one frame.
const MAX_RECEIVED_BYTES: usize = 200_000;

/// Reads choices from an input; zeros after its end.
struct Choices<'a>(&'a [u8]);

impl Choices<'_> {
    /// Returns the bytes that the client sends.
    fn frames(&mut self) -> Vec<u8> {
        let (mut received, mut is_fragmented) = (Vec::new(), false);
        while !self.0.is_empty() && received.len() < MAX_RECEIVED_BYTES {
            received.extend(self.frame(&mut is_fragmented));
        }
        received
    }

    fn byte(&mut self) -> u8 {
        self.0.split_off_first().copied().unwrap_or(0)
    }

    fn below(&mut self, end: u8) -> u8 {
        self.byte() % end
    }

    fn one_of<T: Copy>(&mut self, values: &[T]) -> T {
        values[usize::from(self.byte()) % values.len()]
    }

    fn bytes(&mut self, max_length: usize) -> Vec<u8> {
        let length = max_length.min(self.0.len());
        self.0.split_off(..length).unwrap().to_vec()
    }

    /// A frame of the client, which may be invalid or cut off, or any bytes. Most are valid after the frames before.
    fn frame(&mut self, is_fragmented: &mut bool) -> Vec<u8> {
        let kind = self.byte();
        if kind < 8 {
            let length = self.below(16).into();
            return self.bytes(length);
        }
        let first = match (kind, *is_fragmented) {
            (..16, _) => self.byte(),
            (..32, _) => self.one_of(&FIRST_BYTES),
            (_, false) => self.one_of(&STARTS),
            (_, true) => self.one_of(&CONTINUATIONS),
        };
        let is_control = first & 8 != 0;
        if !is_control {
            *is_fragmented = first & FIN == 0;
        }
        let has_any_length = kind.is_multiple_of(4) && (!is_control || kind < 32);
        let length = if has_any_length { self.one_of(&LENGTHS) } else { self.below(64).into() };
        let mut payload = match kind {
            32.. if first == FIN | CLOSE => vec![3, 232 + self.below(16)],
            ..48 => self.bytes(length.min(32)),
            _ => "aé€😀".repeat(length / 10).into(),
        };
        payload.resize(length, b'x');
        let mask = [self.byte(), 0, 0xFF, 7];
        let mut frame = Vec::new();
        encode(first & 0x0F, &payload, &mut frame);
        let header_bytes = frame.len() - payload.len();
        frame[0] = first;
        frame[1] |= 0x80;
        frame.splice(header_bytes..header_bytes, mask);
        frame[header_bytes + 4..].iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
        if kind == 16 {
            let length = usize::from(self.byte()).min(frame.len());
            frame.truncate(length);
        }
        frame
    }
}

/// A frame that the server sends.
#[derive(Debug, PartialEq, Eq)]
enum Sent {
    Text(ByteString),
    Pong(Bytes),
    Close(Option<u16>),
}

/// What the bytes of the client mean, decoded at once: messages and control frames in order, and the code of the failure.
fn decode_at_once(received: &[u8], max_message_bytes: usize) -> (VecDeque<Decoded>, Option<CloseReason>) {
    let (mut decoder, mut input) = (Decoder::new(max_message_bytes), BytesMut::from(received));
    let mut messages = VecDeque::new();
    loop {
        match decoder.decode(&mut input) {
            Ok(Decoded::Incomplete(missing)) => {
                assert!(missing > 0, "nothing is missing, but nothing was decoded");
                return (messages, None);
            }
            Ok(Decoded::Close(code)) => {
                messages.push_back(Decoded::Close(code));
                return (messages, None);
            }
            Ok(message) => messages.push_back(message),
            Err(reason) => {
                let codes = [CloseReason::ProtocolError, CloseReason::InvalidUtf8, CloseReason::MessageTooLarge];
                assert!(codes.contains(&reason), "{reason:?}");
                return (messages, Some(reason));
            }
        }
    }
}

/// Decodes what the server has sent with tungstenite, as far as its frames are complete.
fn decode_sent(sent: &[u8]) -> Vec<Sent> {
    let mut socket = WebSocket::from_raw_socket(io::Cursor::new(sent.to_vec()), Role::Client, None);
    let mut frames = Vec::new();
    loop {
        frames.push(match socket.read() {
            Ok(Message::Text(text)) => Sent::Text(text.as_str().into()),
            Ok(Message::Pong(payload)) => Sent::Pong(payload),
            Ok(Message::Close(frame)) => Sent::Close(frame.map(|frame| frame.code.into())),
            Err(Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) | Error::ConnectionClosed) => {
                return frames;
            }
            other => panic!("{other:?} after {frames:?}"),
        });
    }
}

/// The transport, whose calls are checked: a pending one wakes its task, and what is allocated is counted.
struct Watched {
    transport: WebSocketTransport<Scripted>,
    received_bytes: usize,
    wakes: Arc<WakeCount>,
    /// What the transport and the buffers of its thread have allocated.
    allocated_bytes: i64,
}

impl Watched {
    fn new(stream: Scripted, early: &[u8], max_message_bytes: usize) -> Watched {
        let received_bytes = early.len() + stream.received.len();
        READ_BUFFER.set(Some(vec![0; READ_BYTES].into()));
        WRITE_BUFFER.set(Vec::with_capacity(MAX_UNSENT_BYTES));
        let mut transport = None;
        let allocated = measure(|| transport = Some(WebSocketTransport::new(stream, early, max_message_bytes)));
        let (transport, allocated_bytes) = (transport.unwrap(), allocated.bytes_current);
        Watched { transport, received_bytes, wakes: Arc::default(), allocated_bytes }
    }

    fn call<T>(
        &mut self,
        call: impl FnOnce(&mut WebSocketTransport<Scripted>, &mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        let (waker, wakes_before) = (Waker::from(self.wakes.clone()), self.wakes.get());
        let mut outcome = Poll::Pending;
        let allocated = measure(|| outcome = call(&mut self.transport, &mut Context::from_waker(&waker)));
        self.allocated_bytes += allocated.bytes_current;
        let stream = &self.transport.stream;
        let has_woken = self.wakes.get() > wakes_before;
        assert!(outcome.is_ready() || has_woken || stream.is_silent(), "nothing wakes the task");
        let bytes = self.received_bytes + stream.sent.len();
        assert!(stream.calls <= 10 * (bytes + 100), "{} calls for {bytes} bytes", stream.calls);
        outcome
    }

    fn wait<T>(&mut self, mut call: impl FnMut(&mut WebSocketTransport<Scripted>, &mut Context<'_>) -> Poll<T>) -> T {
        loop {
            if let Poll::Ready(outcome) = self.call(&mut call) {
                return outcome;
            }
        }
    }

    /// A transport that waits holds the bytes of an incomplete frame, the fragments before it and unsent frames, with the
    /// spare capacity of a `Vec` each; and room for one read of a long frame.
    fn assert_small(&self, max_message_bytes: usize) {
        let thread_buffer = WRITE_BUFFER.take();
        let output_bytes = self.transport.output.capacity() + thread_buffer.capacity();
        WRITE_BUFFER.set(thread_buffer);
        let input_bytes = self.transport.input.len();
        let fragment_bytes = max_message_bytes.min(self.received_bytes);
        let read_bytes = if max_message_bytes > READ_BYTES { READ_BYTES } else { 0 };
        let bound = output_bytes + 2 * (input_bytes + fragment_bytes) + read_bytes + 200;
        // The buffer of the thread was allocated before.
        let allocated = self.allocated_bytes + i64::try_from(MAX_UNSENT_BYTES).unwrap();
        assert!(allocated <= i64::try_from(bound).unwrap(), "{allocated} bytes, of which {input_bytes} are of a frame");
    }
}

/// What a call has received.
enum Received {
    /// A message or a control frame, which is the expected one.
    Expected,
    Broken(CloseReason),
    End,
}

fn record(message: &Decoded) {
    OUTCOMES.record(match message {
        Decoded::Text(_) => "text",
        Decoded::Binary(_) => "binary",
        Decoded::Ping(_) => "ping",
        Decoded::Pong => "pong",
        Decoded::Close(_) => "close",
        Decoded::Incomplete(_) => "incomplete",
    });
}

/// Serves a connection that sends every text back, in the way of the event loop.
fn check(input: &[u8]) {
    let mut choices = Choices(input);
    let max_message_bytes = choices.one_of(&[0, 1, 125, 300, 300, 20_000, 70_000, usize::MAX]);
    let end = choices.one_of(&[End::Closed, End::Closed, End::Broken, End::Silent]);
    let max_writes = choices.one_of(&[usize::MAX, usize::MAX, usize::MAX, 0, 3]);
    let early_bytes = choices.one_of(&[0, 0, 0, 1, 20, 30_000]);
    let schedule_length = usize::from(choices.below(32)) + 1;
    let mut schedule = choices.bytes(schedule_length);
    schedule.resize(schedule_length, 0);
    let mut received = choices.frames();
    let (mut expected, failure) = decode_at_once(&received, max_message_bytes);
    expected.iter().for_each(record);
    OUTCOMES.record(failure.map_or("valid input", CloseReason::text));
    // What the server sends is at most as long, apart from a close frame. So only the transport allocates.
    let sent = Vec::with_capacity(received.len() + 1024);
    let early: Vec<u8> = received.drain(..received.len().min(early_bytes)).collect();
    let stream = Scripted {
        received,
        read_bytes: 0,
        end,
        sent,
        schedule: schedule.into(),
        has_waited: [false; 3],
        calls: 0,
        max_writes,
        pending_reads: 0,
    };
    let mut watched = Watched::new(stream, &early, max_message_bytes);
    let (mut expected_sent, mut is_broken) = (Vec::new(), false);
    loop {
        let (unsent, pending_reads) = (watched.transport.unsent_bytes(), watched.transport.stream.pending_reads);
        let next = expected.front();
        // The frame is dropped within the call, so that its memory does not count.
        let received = watched.call(|transport, cx| {
            transport.poll_next_unpin(cx).map(|received| match (received, next) {
                (Some(Incoming::Text(text)), Some(Decoded::Text(expected))) if text.0 == *expected => {
                    Received::Expected
                }
                (Some(Incoming::Binary), Some(Decoded::Binary(_)))
                | (Some(Incoming::Ping), Some(Decoded::Ping(_)))
                | (Some(Incoming::Pong), Some(Decoded::Pong)) => Received::Expected,
                (Some(Incoming::Broken(reason)), None) => Received::Broken(reason),
                (None, None | Some(Decoded::Close(_))) => Received::End,
                (received, expected) => panic!("{received:?} in place of {expected:?}"),
            })
        });
        match received {
            Poll::Pending => {
                let stream = &watched.transport.stream;
                assert!(stream.pending_reads > pending_reads, "pending, but not because of the stream");
                watched.assert_small(max_message_bytes);
                if watched.transport.stream.is_silent() {
                    break;
                }
                let _ = watched.call(WebSocketTransport::poll_flush);
            }
            Poll::Ready(Received::Broken(reason)) => {
                assert_eq!((Some(reason), is_broken), (failure, false));
                is_broken = true;
                let close = Outgoing::Close(Box::new(reason.frame()));
                watched.transport.start_send(close).unwrap();
                expected_sent.push(Sent::Close(Some(reason.as_u16())));
            }
            Poll::Ready(Received::Expected) => match expected.pop_front() {
                Some(Decoded::Text(text)) => {
                    // An error: the stream is broken, and nothing more is sent.
                    let is_writable = watched.wait(WebSocketTransport::poll_ready).is_ok();
                    if is_writable {
                        let _ = watched.call(|transport, _| Poll::Ready(transport.start_send(Outgoing::Reply(&text))));
                        expected_sent.push(Sent::Text(text));
                    }
                }
                Some(Decoded::Ping(payload)) => {
                    if watched.transport.unsent_bytes() > unsent {
                        expected_sent.push(Sent::Pong(payload));
                    } else {
                        assert!(unsent >= MAX_UNSENT_BYTES, "no pong");
                    }
                }
                _ => {}
            },
            Poll::Ready(Received::End) => {
                if let Some(Decoded::Close(code)) = expected.pop_front() {
                    // tungstenite does not know 1014, and takes it for a violation.
                    expected_sent.push(Sent::Close(code.map(|code| if code == 1014 { 1002 } else { code })));
                }
                break;
            }
        }
    }
    assert!(expected.is_empty(), "lost {expected:?}");
    assert_eq!(is_broken, failure.is_some(), "not reported: {failure:?}");
    assert!(
        watched.transport.stream.read_bytes == watched.transport.stream.received.len() || !expected_sent.is_empty()
    );
    let is_written = watched.wait(WebSocketTransport::poll_close).is_ok();
    let sent = decode_sent(&watched.transport.stream.sent);
    if is_written {
        assert_eq!(sent, expected_sent);
        assert_eq!(watched.transport.output.capacity(), 0);
    } else {
        assert!(watched.transport.stream.max_writes == 0 && expected_sent.starts_with(&sent), "{sent:?}");
    }
}

#[test]
fn any_bytes_in_any_splits_give_the_same_messages_and_valid_frames() {
    bolero::check!().with_iterations(1500).for_each(check);
    OUTCOMES.assert_shares(
        file!(),
        &[
            ("text", 100),
            ("binary", 20),
            ("ping", 30),
            ("pong", 30),
            ("close", 20),
            ("valid input", 200),
            ("protocol error", 30),
            ("invalid text", 8),
            ("message too large", 30),
        ],
    );
}
