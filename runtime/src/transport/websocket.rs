//! Frames over axum's WebSocket.

use std::error::Error as _;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use bytes::Bytes;
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use tungstenite::error::Error as ProtocolError;

use super::{CloseCode, Gone, Incoming, Outgoing, Transport};

/// One upgraded connection.
pub(crate) struct Socket(pub(crate) WebSocket);

impl Transport for Socket {
    type Text = Text;
}

/// The text of a frame. (axum's own type does not implement `AsRef<str>`.)
#[derive(Clone)]
pub(crate) struct Text(Utf8Bytes);

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        self.0.as_str()
    }
}

impl Stream for Socket {
    type Item = Incoming<Text>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_next_unpin(cx).map(|message| match message? {
            Ok(Message::Text(text)) => Some(Incoming::Text(Text(text))),
            Ok(Message::Binary(_)) => Some(Incoming::Binary),
            Ok(Message::Ping(_) | Message::Pong(_)) => Some(Incoming::Ping),
            Ok(Message::Close(_)) => None,
            Err(error) => broken(&error).map(Incoming::Broken),
        })
    }
}

/// What to tell a peer whose bytes cannot be read; nothing where the connection itself is gone.
fn broken(error: &axum::Error) -> Option<CloseCode> {
    match error.source()?.downcast_ref::<ProtocolError>()? {
        ProtocolError::Capacity(_) => Some(CloseCode::TooLarge),
        ProtocolError::Utf8(_) => Some(CloseCode::NotText),
        ProtocolError::Protocol(_) => Some(CloseCode::Protocol),
        _ => None,
    }
}

impl Sink<Outgoing> for Socket {
    type Error = Gone;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        self.0.poll_ready_unpin(cx).map_err(|_| Gone)
    }

    fn start_send(mut self: Pin<&mut Self>, frame: Outgoing) -> Result<(), Gone> {
        let message = match frame {
            Outgoing::Text(bytes) => Message::Text(Utf8Bytes::try_from(bytes).map_err(|_| Gone)?),
            Outgoing::Ping => Message::Ping(Bytes::new()),
            Outgoing::Close(code) => {
                Message::Close(Some(CloseFrame { code: code.number(), reason: code.reason().into() }))
            }
        };
        self.0.start_send_unpin(message).map_err(|_| Gone)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        self.0.poll_flush_unpin(cx).map_err(|_| Gone)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        self.0.poll_close_unpin(cx).map_err(|_| Gone)
    }
}
