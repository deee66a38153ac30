//! The WebSocket transport, on axum's `WebSocket`.

use std::error::Error as _;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::extract::ws::{CloseFrame as WebSocketCloseFrame, Message, WebSocket};
use bytes::Bytes;
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use tungstenite::error::{Error as ProtocolError, ProtocolError as Violation};

use super::readiness::Readiness;
use super::{CloseReason, FrameText, Gone, Incoming, Outgoing};

/// The transport of one upgraded connection.
pub(crate) struct WebSocketTransport {
    socket: WebSocket,
    readiness: Readiness,
}

impl WebSocketTransport {
    pub(crate) fn new(socket: WebSocket) -> WebSocketTransport {
        WebSocketTransport { socket, readiness: Readiness::default() }
    }
}

impl Stream for WebSocketTransport {
    type Item = Incoming;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let WebSocketTransport { socket, readiness } = &mut *self;
        readiness.poll(cx, |cx| socket.poll_next_unpin(cx)).map(|message| match message? {
            Ok(Message::Text(text)) => Some(Incoming::Text(FrameText(text))),
            Ok(Message::Binary(_)) => Some(Incoming::Binary),
            Ok(Message::Ping(_) | Message::Pong(_)) => Some(Incoming::Ping),
            Ok(Message::Close(_)) => None,
            Err(error) => close_reason(&error).map(Incoming::Broken),
        })
    }
}

/// Returns the reason to close for a read error, or `None` if the connection is lost.
fn close_reason(error: &axum::Error) -> Option<CloseReason> {
    match error.source()?.downcast_ref::<ProtocolError>()? {
        ProtocolError::Capacity(_) => Some(CloseReason::MessageTooLarge),
        ProtocolError::Utf8(_) => Some(CloseReason::InvalidUtf8),
        // The peer ended the stream without a close frame, for example because its process died: not a protocol error.
        ProtocolError::Protocol(Violation::ResetWithoutClosingHandshake) => None,
        ProtocolError::Protocol(_) => Some(CloseReason::ProtocolError),
        _ => None,
    }
}

impl Sink<Outgoing> for WebSocketTransport {
    type Error = Gone;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        self.socket.poll_ready_unpin(cx).map_err(|_| Gone)
    }

    fn start_send(mut self: Pin<&mut Self>, frame: Outgoing) -> Result<(), Gone> {
        let message = match frame {
            Outgoing::Text(FrameText(text)) => Message::Text(text),
            Outgoing::Ping => Message::Ping(Bytes::new()),
            Outgoing::Close(frame) => {
                Message::Close(Some(WebSocketCloseFrame { code: frame.code, reason: (&*frame.text).into() }))
            }
        };
        self.socket.start_send_unpin(message).map_err(|_| Gone)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        self.socket.poll_flush_unpin(cx).map_err(|_| Gone)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        self.socket.poll_close_unpin(cx).map_err(|_| Gone)
    }
}
