use std::future::poll_fn;
use std::io;

use allocation_counter::measure;
use futures_util::{FutureExt, StreamExt};
use tokio::io::{AsyncWriteExt, DuplexStream, duplex};

use super::super::codec::BINARY;
use super::*;
use crate::transport::{CloseReason, EventFrame};

const MAX_MESSAGE_BYTES: usize = 1 << 20;

/// The first byte of a frame that is final.
const FIN: u8 = 0x80;

/// The transport, and the client's end of its stream, which buffers this many bytes per direction.
fn pair(buffer_bytes: usize) -> (WebSocketTransport<DuplexStream>, DuplexStream) {
    let (server, client) = duplex(buffer_bytes);
    (WebSocketTransport::new(server, &[], MAX_MESSAGE_BYTES), client)
}

/// Builds a frame of a client with a mask of zeros.
fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    encode(opcode, payload, &mut frame);
    let header_bytes = frame.len() - payload.len();
    frame[1] |= 0x80;
    frame.splice(header_bytes..header_bytes, [0; 4]);
    frame
}

async fn next_text(transport: &mut WebSocketTransport<DuplexStream>) -> String {
    match transport.next().await {
        Some(Incoming::Text(text)) => text.to_string(),
        other => panic!("{other:?}"),
    }
}

fn is_idle(transport: &mut WebSocketTransport<DuplexStream>) -> bool {
    transport.next().now_or_never().is_none()
}

async fn flush(transport: &mut WebSocketTransport<DuplexStream>) -> Result<(), Gone> {
    poll_fn(|cx| transport.poll_flush(cx)).await
}

/// Reads what the server has sent so far.
async fn sent(client: &mut DuplexStream, length: usize) -> Vec<u8> {
    let mut sent = vec![0; length];
    client.read_exact(&mut sent).await.unwrap();
    let mut rest = [0];
    assert!(client.read(&mut rest).now_or_never().is_none(), "more was sent");
    sent
}

#[tokio::test]
async fn bytes_that_came_with_the_request_are_decoded_first() {
    let (server, mut client) = duplex(1024);
    let early = [frame(TEXT, b"one"), frame(TEXT, b"two")].concat();
    let mut transport = WebSocketTransport::new(server, &early[..12], MAX_MESSAGE_BYTES);
    assert_eq!(next_text(&mut transport).await, "one");
    assert!(is_idle(&mut transport));
    client.write_all(&early[12..]).await.unwrap();
    assert_eq!(next_text(&mut transport).await, "two");
}

#[tokio::test]
async fn long_message_is_read_whatever_its_chunks() {
    let text = "x".repeat(300_000);
    for buffer_bytes in [100, READ_BYTES, 40_000, 1 << 20] {
        let (mut transport, mut client) = pair(buffer_bytes);
        let frames = [frame(TEXT, b"first"), frame(TEXT, text.as_bytes()), frame(TEXT, b"last")].concat();
        let send = async { client.write_all(&frames).await.unwrap() };
        let receive = async {
            assert_eq!(next_text(&mut transport).await, "first");
            assert!(next_text(&mut transport).await == text);
            assert_eq!(next_text(&mut transport).await, "last");
        };
        tokio::join!(send, receive);
    }
}

#[tokio::test]
async fn announced_length_alone_allocates_nothing() {
    let (mut transport, mut client) = pair(1024);
    client.write_all(&frame(TEXT, &vec![b'x'; 1_000_000])[..20]).await.unwrap();
    assert!(is_idle(&mut transport));
    assert!(transport.input.capacity() <= 2 * READ_BYTES, "{} bytes", transport.input.capacity());
}

#[tokio::test]
async fn idle_transport_keeps_no_buffer() {
    let (mut transport, mut client) = pair(1 << 20);
    client.write_all(&[frame(TEXT, &vec![b'x'; 200_000]), frame(PING, b""), frame(TEXT, b"y")].concat()).await.unwrap();
    assert_eq!(next_text(&mut transport).await.len(), 200_000);
    assert!(matches!(transport.next().await, Some(Incoming::Ping)));
    assert_eq!(next_text(&mut transport).await, "y");
    assert!(is_idle(&mut transport));
    transport.start_send(Outgoing::Reply(&"z".repeat(200_000))).unwrap();
    flush(&mut transport).await.unwrap();
    assert_eq!((transport.input.capacity(), transport.output.capacity()), (0, 0));
}

#[tokio::test]
async fn partial_frame_does_not_keep_the_buffer_that_it_came_in() {
    let (mut transport, mut client) = pair(1 << 20);
    client.write_all(&[frame(TEXT, &[b'x'; 10_000]), frame(TEXT, b"y")[..3].to_vec()].concat()).await.unwrap();
    assert_eq!(next_text(&mut transport).await.len(), 10_000);
    assert!(is_idle(&mut transport));
    assert!(!transport.is_input_shared && transport.input.len() == 3, "{transport:?}", transport = transport.input);
}

/// The frame in front is long enough for the rest of its buffer to be read into directly, or shares a read with the partial
/// frame; and the partial frame arrives in two reads, between which the transport does not wait.
#[tokio::test]
async fn partial_frame_of_several_reads_does_not_keep_the_buffer_that_it_came_in() {
    READ_BUFFER.set(Some(vec![0; READ_BYTES].into()));
    for length in [READ_BYTES - 10, 64_000] {
        for opcode in [FIN | TEXT, TEXT] {
            let (mut transport, mut client) = pair(1 << 20);
            let mut first = frame(TEXT, &vec![b'x'; length]);
            first[0] = opcode;
            let partial = frame(PING, &[b'y'; 100])[..6].to_vec();
            client.write_all(&[first, partial].concat()).await.unwrap();
            let allocated = measure(|| {
                if opcode == FIN | TEXT {
                    let Some(Some(Incoming::Text(text))) = transport.next().now_or_never() else { panic!("no text") };
                    assert_eq!(text.len(), length);
                }
                assert!(is_idle(&mut transport));
            });
            let fragments = if opcode == TEXT { length } else { 0 };
            let extra = allocated.bytes_current - i64::try_from(fragments).unwrap();
            assert!(extra < 100, "{extra} bytes for {} of a frame behind {length}", transport.input.len());
        }
    }
}

#[tokio::test]
async fn message_that_waits_does_not_keep_the_buffer_that_it_came_in() {
    READ_BUFFER.set(Some(vec![0; READ_BYTES].into()));
    for length in [100, READ_BYTES, 60_000] {
        let (mut transport, mut client) = pair(1 << 20);
        client
            .write_all(&[frame(BINARY, &vec![b'x'; 65_536]), frame(TEXT, &vec![b'x'; length])].concat())
            .await
            .unwrap();
        let mut waiting = None;
        let allocated = measure(|| {
            assert!(matches!(transport.next().now_or_never(), Some(Some(Incoming::Binary))));
            waiting = transport.next().now_or_never().unwrap().map(Incoming::into_unshared);
            assert!(is_idle(&mut transport));
        });
        let waiting = waiting.unwrap().len();
        assert_eq!(waiting, length);
        assert!(allocated.bytes_current < i64::try_from(length + 100).unwrap(), "{allocated:?} for {length}");
    }
}

#[tokio::test]
async fn ping_is_answered_without_a_flush_by_the_connection() {
    let (mut transport, mut client) = pair(1024);
    client.write_all(&[frame(PING, b"there?"), frame(PONG, b"")].concat()).await.unwrap();
    assert!(matches!(transport.next().await, Some(Incoming::Ping)));
    assert!(matches!(transport.next().await, Some(Incoming::Pong)));
    assert!(is_idle(&mut transport));
    assert_eq!(sent(&mut client, 8).await, b"\x8a\x06there?");
}

#[tokio::test]
async fn pongs_for_a_client_that_does_not_read_are_bounded() {
    let (mut transport, mut client) = pair(1 << 20);
    // The client's end takes 1 MiB, so the transport must not be flushed.
    for _ in 0..5_000 {
        client.write_all(&frame(PING, &[0; 125])).await.unwrap();
        assert!(matches!(transport.next().await, Some(Incoming::Ping)));
    }
    assert!(transport.unsent_bytes() < MAX_UNSENT_BYTES + 127, "{} bytes", transport.unsent_bytes());
}

#[tokio::test]
async fn frames_are_sent_in_order_through_short_writes() {
    let (mut transport, mut client) = pair(7);
    let send = async {
        for number in 0..1000 {
            poll_fn(|cx| transport.poll_ready(cx)).await.unwrap();
            let text = format!("{number:0200}");
            let frame = if number % 2 == 0 { Outgoing::Reply(&text) } else { Outgoing::Event(EventFrame::new(&text)) };
            transport.start_send(frame).unwrap();
            assert!(transport.output.len() <= 2 * MAX_UNSENT_BYTES + 204, "sent bytes are dropped");
        }
        poll_fn(|cx| transport.poll_close(cx)).await.unwrap();
    };
    let receive = async {
        let mut received = Vec::new();
        client.read_to_end(&mut received).await.unwrap();
        for (number, frame) in received.chunks(204).enumerate() {
            assert_eq!(frame[..4], [0x81, 126, 0, 200]);
            assert_eq!(std::str::from_utf8(&frame[4..]).unwrap().parse(), Ok(number));
        }
        received.len()
    };
    assert_eq!(tokio::join!(send, receive).1, 1000 * 204);
}

#[tokio::test]
async fn close_frame_of_the_client_is_answered_once() {
    let (mut transport, mut client) = pair(1024);
    client.write_all(&[frame(8, b"\x0f\xa0bye"), frame(TEXT, b"late")].concat()).await.unwrap();
    assert!(transport.next().await.is_none());
    assert!(transport.next().await.is_none());
    transport.start_send(Outgoing::Close(Box::new(CloseReason::Idle.frame()))).unwrap();
    assert!(transport.start_send(Outgoing::Reply("late")).is_err());
    poll_fn(|cx| transport.poll_close(cx)).await.unwrap();
    let mut sent = Vec::new();
    client.read_to_end(&mut sent).await.unwrap();
    assert_eq!(sent, b"\x88\x02\x0f\xa0");
}

#[tokio::test]
async fn nothing_is_sent_after_a_close_frame() {
    let (mut transport, mut client) = pair(1024);
    transport.start_send(Outgoing::Reply("last")).unwrap();
    transport.start_send(Outgoing::Close(Box::new(CloseReason::Revoked.frame()))).unwrap();
    assert!(transport.start_send(Outgoing::Ping).is_err());
    client.write_all(&[frame(PING, b"x"), frame(8, b"")].concat()).await.unwrap();
    assert!(matches!(transport.next().await, Some(Incoming::Ping)));
    assert!(transport.next().await.is_none());
    flush(&mut transport).await.unwrap();
    assert_eq!(sent(&mut client, 17).await, b"\x81\x04last\x88\x09\x11\x33revoked");
}

#[tokio::test]
async fn violation_is_reported_once_and_the_rest_is_dropped_until_the_client_is_gone() {
    let (mut transport, mut client) = pair(1 << 20);
    client
        .write_all(&[frame(TEXT, b"first"), frame(3, b""), frame(TEXT, &vec![b'x'; 100_000])].concat())
        .await
        .unwrap();
    assert_eq!(next_text(&mut transport).await, "first");
    assert!(matches!(transport.next().await, Some(Incoming::Broken(CloseReason::ProtocolError))));
    assert!(is_idle(&mut transport));
    assert_eq!(transport.input.capacity(), 0);
    drop(client);
    assert!(transport.next().await.is_none());
}

#[tokio::test]
async fn stream_that_ends_within_a_frame_ends() {
    let (mut transport, mut client) = pair(1024);
    client.write_all(&frame(TEXT, b"cut off")[..5]).await.unwrap();
    drop(client);
    assert!(transport.next().await.is_none());
    transport.start_send(Outgoing::Reply("x")).unwrap();
    assert!(flush(&mut transport).await.is_err());
}

/// A stream like one with TLS: what is written goes out when it is flushed.
struct Buffered {
    inner: DuplexStream,
    written: Vec<u8>,
}

impl AsyncRead for Buffered {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Buffered {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.written.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Buffered { inner, written } = &mut *self;
        while !written.is_empty() {
            let length = ready!(Pin::new(&mut *inner).poll_write(cx, written))?;
            written.drain(..length);
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.as_mut().poll_flush(cx))?;
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[tokio::test]
async fn stream_that_buffers_is_flushed() {
    let (server, mut client) = duplex(5);
    let mut transport =
        WebSocketTransport::new(Buffered { inner: server, written: Vec::new() }, &[], MAX_MESSAGE_BYTES);
    transport.start_send(Outgoing::Reply("a long reply")).unwrap();
    let mut reply = [0; 14];
    let (flushed, read) = tokio::join!(poll_fn(|cx| transport.poll_flush(cx)), client.read_exact(&mut reply));
    assert!(flushed.is_ok() && read.is_ok());
    assert_eq!(&reply, b"\x81\x0ca long reply");
}
