//! The reasons for which the server closes a connection, with the codes and texts of the close frames.

use super::CloseFrame;

/// The reason why the server closes a connection without a request of an action.
///
/// After a code from 4400 to 4499, a client must not reconnect with the same credentials, but for 4429. After 1012 it may
/// reconnect at once, after 1013, 4429 and codes from 4500 later.
///
/// As wide as a word, so that [`Incoming`](super::Incoming) is copied in whole words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum CloseReason {
    /// 1002: the client violated the WebSocket protocol.
    ProtocolError,
    /// 1007: a text frame is not UTF-8.
    InvalidUtf8,
    /// 1009: a frame or message exceeds [`Limits::max_frame_bytes`](crate::Limits::max_frame_bytes).
    MessageTooLarge,
    /// 1012: the endpoint is drained before its server is stopped, see [`DrainHandle`](crate::DrainHandle).
    ServiceRestart,
    /// 1013: the send queue overflowed, because the client did not keep up with its events.
    TooSlow,
    /// 1013: the machine may have missed that the connection was to be closed, see
    /// [`Endpoint::close_when_cut_off`](crate::Endpoint::close_when_cut_off).
    CutOff,
    /// 4401: the credentials of the user have expired.
    Expired,
    /// 4401: `#[connect]` returned an error with status 401, or an anonymous client did not authenticate in time.
    Unauthenticated,
    /// 4403: `#[connect]` returned an error with another status from 400 to 499.
    Refused,
    /// 4403: the user lost the permission to be connected, or was disconnected by [`Connections`](crate::Connections).
    Revoked,
    /// 4429: the client exceeds [`Limits::messages_per_connection`](crate::Limits::messages_per_connection) by far. It may send
    /// messages again after these seconds.
    TooManyMessages(u32),
    /// 4500: a fault, for example of `#[connect]`, or the server cannot tell whether the user was disconnected meanwhile.
    Failed,
    /// 4508: nothing arrived within [`Limits::idle_timeout`](crate::Limits::idle_timeout).
    Idle,
}

impl CloseReason {
    /// Returns the code that the close frame carries.
    pub(crate) fn as_u16(self) -> u16 {
        match self {
            CloseReason::ProtocolError => 1002,
            CloseReason::InvalidUtf8 => 1007,
            CloseReason::MessageTooLarge => 1009,
            CloseReason::ServiceRestart => 1012,
            CloseReason::TooSlow | CloseReason::CutOff => 1013,
            CloseReason::Expired | CloseReason::Unauthenticated => 4401,
            CloseReason::Refused | CloseReason::Revoked => 4403,
            CloseReason::TooManyMessages(_) => 4429,
            CloseReason::Failed => 4500,
            CloseReason::Idle => 4508,
        }
    }

    /// Returns the close frame.
    pub(crate) fn frame(self) -> CloseFrame {
        let text = match self {
            CloseReason::TooManyMessages(seconds) => format!("{} {seconds}", self.text()).into(),
            _ => self.text().into(),
        };
        CloseFrame { code: self.as_u16(), text }
    }

    /// Returns the text that the close frame carries, without the seconds of [`TooManyMessages`](CloseReason::TooManyMessages).
    pub(crate) fn text(self) -> &'static str {
        match self {
            CloseReason::ProtocolError => "protocol error",
            CloseReason::InvalidUtf8 => "invalid text",
            CloseReason::MessageTooLarge => "message too large",
            CloseReason::ServiceRestart => "service restart",
            CloseReason::TooSlow => "too slow",
            CloseReason::CutOff => "cut off",
            CloseReason::Expired => "credentials expired",
            CloseReason::Unauthenticated => "unauthenticated",
            CloseReason::Refused => "refused",
            CloseReason::Revoked => "revoked",
            CloseReason::TooManyMessages(_) => "retry after",
            CloseReason::Failed => "internal error",
            CloseReason::Idle => "idle",
        }
    }
}
