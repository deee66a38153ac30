//! Frames in, frames out. Nothing here knows what an action is.

mod connection_end;
mod frame;
#[cfg(feature = "testing")]
pub(crate) mod memory;
#[cfg(feature = "axum")]
mod readiness;
#[cfg(feature = "axum")]
pub(crate) mod websocket;

use futures_util::{Sink, Stream};

pub(crate) use connection_end::ConnectionEnd;
pub(crate) use frame::Text;

/// What carries the frames of one connection.
///
/// The stream ends when the peer is gone, when it has said that it goes, and after [`Incoming::Broken`]. Pings of the peer are answered by the transport.
pub(crate) trait Transport: Stream<Item = Incoming> + Sink<Outgoing, Error = Gone> + Unpin + Send {}

impl<T: Stream<Item = Incoming> + Sink<Outgoing, Error = Gone> + Unpin + Send> Transport for T {}

/// A frame from the peer.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// A message.
    Text(Text),
    /// A message that is none of ours.
    Binary,
    /// A sign of life.
    Ping,
    /// What the transport cannot read on from; the connection is to be closed with this code.
    Broken(CloseCode),
}

/// A frame to the peer.
#[derive(Debug)]
pub(crate) enum Outgoing {
    /// A text frame.
    Text(Text),
    /// A question whether the peer is still there.
    Ping,
    /// The end, with its code.
    Close(CloseCode),
}

/// Nothing can be sent any more.
#[derive(Debug)]
pub(crate) struct Gone;

/// Why a connection is closed. Codes from 4400 to 4499 say: do not come back with the same credentials;
/// 1012, 1013 and those from 4500 on: come back later.
///
/// As wide as a word, so that [`Incoming`] is copied in whole words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum CloseCode {
    /// 1002: not the WebSocket protocol.
    Protocol,
    /// 1007: a text frame that is no UTF-8.
    NotText,
    /// 1009: a frame over the limit.
    TooLarge,
    /// 1013: more events came than the client took.
    TooSlow,
    /// 4401: the user's credentials have run out.
    Expired,
    /// 4403: `#[connect]` refused.
    Refused,
    /// 4403: whoever was let in may not be here any more.
    Revoked,
    /// 4500: `#[connect]` failed.
    Failed,
    /// 4508: nothing came for too long.
    Idle,
}

impl CloseCode {
    pub(crate) fn number(self) -> u16 {
        match self {
            CloseCode::Protocol => 1002,
            CloseCode::NotText => 1007,
            CloseCode::TooLarge => 1009,
            CloseCode::TooSlow => 1013,
            CloseCode::Expired => 4401,
            CloseCode::Refused | CloseCode::Revoked => 4403,
            CloseCode::Failed => 4500,
            CloseCode::Idle => 4508,
        }
    }

    /// Whether the connection ends because its bytes cannot be read on.
    pub(crate) fn is_unreadable(self) -> bool {
        matches!(self, CloseCode::Protocol | CloseCode::NotText | CloseCode::TooLarge)
    }

    #[cfg(feature = "axum")]
    fn reason(self) -> &'static str {
        match self {
            CloseCode::Protocol => "protocol error",
            CloseCode::NotText => "invalid text",
            CloseCode::TooLarge => "message too large",
            CloseCode::TooSlow => "too slow",
            CloseCode::Expired => "credentials expired",
            CloseCode::Refused => "refused",
            CloseCode::Revoked => "revoked",
            CloseCode::Failed => "internal error",
            CloseCode::Idle => "idle",
        }
    }
}
