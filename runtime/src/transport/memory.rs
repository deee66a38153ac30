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
    largest: usize,
    broken: bool,
}

/// The client's end.
pub(crate) struct Wire {
    pub(crate) to_server: mpsc::UnboundedSender<ClientFrame>,
    pub(crate) from_server: mpsc::UnboundedReceiver<ServerFrame>,
}

/// Both ends; text frames longer than `largest` bytes are refused as a WebSocket refuses them.
pub(crate) fn pair(largest: usize) -> (Memory, Wire) {
    let (to_server, incoming) = mpsc::unbounded_channel();
    let (outgoing, from_server) = mpsc::unbounded_channel();
    (Memory { incoming, outgoing, largest, broken: false }, Wire { to_server, from_server })
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
            Outgoing::Ping => ServerFrame::Ping,
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
