//! Frames between a connection and a client in the same process.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::{Sink, Stream};
use tokio::sync::mpsc;

use super::{CloseCode, Gone, Incoming, Outgoing, Text};

/// A frame from the client.
#[derive(Debug)]
pub(crate) enum ClientFrame {
    Text(String),
    Binary,
    /// The answer to a ping.
    Pong,
}

/// A frame to the client.
#[derive(Debug)]
pub(crate) enum ServerFrame {
    Text(Text),
    Ping,
    Close(u16),
}

/// The connection's end.
pub(crate) struct Memory {
    incoming: mpsc::UnboundedReceiver<ClientFrame>,
    outgoing: mpsc::UnboundedSender<ServerFrame>,
    /// Sends pongs in place of the client, if the client answers pings. Weak, so that dropping the client still ends
    /// `incoming`.
    pongs: Option<mpsc::WeakUnboundedSender<ClientFrame>>,
    largest: usize,
    broken: bool,
}

/// The client's end.
pub(crate) struct Wire {
    pub(crate) to_server: mpsc::UnboundedSender<ClientFrame>,
    pub(crate) from_server: mpsc::UnboundedReceiver<ServerFrame>,
}

/// Creates both ends. Text frames longer than `largest` bytes are refused as a WebSocket refuses them.
///
/// If `answer_pings` is set, each ping is answered when it is sent, as long as the client's end exists. The client cannot
/// do it itself, because it runs only while a test awaits it.
pub(crate) fn pair(largest: usize, answer_pings: bool) -> (Memory, Wire) {
    let (to_server, incoming) = mpsc::unbounded_channel();
    let (outgoing, from_server) = mpsc::unbounded_channel();
    let pongs = answer_pings.then(|| to_server.downgrade());
    (Memory { incoming, outgoing, pongs, largest, broken: false }, Wire { to_server, from_server })
}

impl Memory {
    /// Answers a ping in place of the client, unless its end was dropped.
    fn pong(&self) {
        if let Some(client) = self.pongs.as_ref().and_then(mpsc::WeakUnboundedSender::upgrade) {
            // `incoming` is part of `self`, so the channel is open.
            let _ = client.send(ClientFrame::Pong);
        }
    }
}

impl Stream for Memory {
    type Item = Incoming;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.broken {
            return Poll::Ready(None);
        }
        let frame = ready!(self.incoming.poll_recv(cx));
        Poll::Ready(frame.map(|frame| match frame {
            ClientFrame::Text(text) if text.len() > self.largest => {
                self.broken = true;
                Incoming::Broken(CloseCode::TooLarge)
            }
            ClientFrame::Text(text) => Incoming::Text(text.into()),
            ClientFrame::Binary => Incoming::Binary,
            ClientFrame::Pong => Incoming::Ping,
        }))
    }
}

impl Sink<Outgoing> for Memory {
    type Error = Gone;

    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        Poll::Ready(Ok(()))
    }

    fn start_send(self: Pin<&mut Self>, frame: Outgoing) -> Result<(), Gone> {
        let frame = match frame {
            Outgoing::Text(text) => ServerFrame::Text(text),
            Outgoing::Ping => {
                self.pong();
                ServerFrame::Ping
            }
            Outgoing::Close(code) => ServerFrame::Close(code.number()),
        };
        self.outgoing.send(frame).map_err(|_| Gone)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        Poll::Ready(Ok(()))
    }
}
