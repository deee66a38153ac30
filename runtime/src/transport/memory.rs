//! An in-process transport, for [`testing`](crate::testing).

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::Stream;
use tokio::sync::mpsc;

use super::{CloseFrame, CloseReason, FrameText, Gone, Incoming, Outgoing, Transport};

/// The code of the close frame that answers the client's.
const NORMAL_CLOSURE: u16 = 1000;

/// A frame from the client.
#[derive(Debug)]
pub(crate) enum ClientFrame {
    Text(String),
    Binary,
    /// The reply to a ping.
    Pong,
    /// A close frame with code 1000.
    Close,
}

/// A frame to the client.
#[derive(Debug)]
pub(crate) enum ServerFrame {
    Text(FrameText),
    Ping,
    Close(CloseFrame),
}

/// The server end of the transport.
pub(crate) struct MemoryTransport {
    incoming: mpsc::UnboundedReceiver<ClientFrame>,
    outgoing: mpsc::UnboundedSender<ServerFrame>,
    /// Sends pongs in place of the client, if the client answers pings. Weak, so that dropping the client still ends
    /// `incoming`.
    pongs: Option<mpsc::WeakUnboundedSender<ClientFrame>>,
    max_frame_bytes: usize,
    /// Whether a frame was too large or the client has sent a close frame, after which nothing is read any more.
    is_closed: bool,
    /// Whether a close frame was sent, after which nothing is sent any more.
    has_sent_close: bool,
}

/// The client end of the transport.
pub(crate) struct ClientEnd {
    pub(crate) to_server: mpsc::UnboundedSender<ClientFrame>,
    pub(crate) from_server: mpsc::UnboundedReceiver<ServerFrame>,
}

/// Creates both ends. Text frames longer than `max_frame_bytes` bytes close the connection with 1009, as with a WebSocket.
///
/// If `answer_pings` is set, each ping is answered when it is sent, as long as the client end exists. The client cannot
/// answer itself, because it runs only while a test awaits it.
pub(crate) fn pair(max_frame_bytes: usize, answer_pings: bool) -> (MemoryTransport, ClientEnd) {
    let (to_server, incoming) = mpsc::unbounded_channel();
    let (outgoing, from_server) = mpsc::unbounded_channel();
    let pongs = answer_pings.then(|| to_server.downgrade());
    (
        MemoryTransport { incoming, outgoing, pongs, max_frame_bytes, is_closed: false, has_sent_close: false },
        ClientEnd { to_server, from_server },
    )
}

impl MemoryTransport {
    /// Answers a ping in place of the client, unless the client end was dropped.
    fn send_pong(&self) {
        if let Some(client) = self.pongs.as_ref().and_then(mpsc::WeakUnboundedSender::upgrade) {
            // `incoming` is part of `self`, so the channel is open.
            let _ = client.send(ClientFrame::Pong);
        }
    }

    /// Sends a close frame, unless one was sent before.
    fn send_close(&mut self, frame: CloseFrame) -> Result<(), Gone> {
        if std::mem::replace(&mut self.has_sent_close, true) {
            return Ok(());
        }
        self.outgoing.send(ServerFrame::Close(frame)).map_err(|_| Gone)
    }
}

impl Stream for MemoryTransport {
    type Item = Incoming;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.is_closed {
            return Poll::Ready(None);
        }
        let frame = ready!(self.incoming.poll_recv(cx));
        Poll::Ready(frame.and_then(|frame| match frame {
            ClientFrame::Text(text) if text.len() > self.max_frame_bytes => {
                self.is_closed = true;
                Some(Incoming::Broken(CloseReason::MessageTooLarge))
            }
            ClientFrame::Text(text) => Some(Incoming::Text(text.into())),
            ClientFrame::Binary => Some(Incoming::Binary),
            ClientFrame::Pong => Some(Incoming::Pong),
            ClientFrame::Close => {
                self.is_closed = true;
                // The answer to the close frame of the client, as a WebSocket sends it.
                let _ = self.send_close(CloseFrame { code: NORMAL_CLOSURE, text: "".into() });
                None
            }
        }))
    }
}

impl Transport for MemoryTransport {
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        Poll::Ready(Ok(()))
    }

    fn start_send(&mut self, frame: Outgoing<'_>) -> Result<(), Gone> {
        let frame = match frame {
            Outgoing::Close(frame) => return self.send_close(*frame),
            _ if self.has_sent_close => return Err(Gone),
            Outgoing::Reply(text) => ServerFrame::Text(text.into()),
            Outgoing::Event(frame) => ServerFrame::Text(frame.text()),
            Outgoing::Ping => {
                self.send_pong();
                ServerFrame::Ping
            }
        };
        self.outgoing.send(frame).map_err(|_| Gone)
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        Poll::Ready(Ok(()))
    }
}
