//! The codes that a connection is closed with.

/// Why a connection is closed. Codes from 4400 to 4499 say: do not come back with the same credentials;
/// 1012, 1013 and those from 4500 on: come back later.
///
/// As wide as a word, so that [`Incoming`] is copied in whole words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum CloseCode {
    /// 1002: not the WebSocket protocol.
    ProtocolError,
    /// 1007: a text frame that is no UTF-8.
    InvalidUtf8,
    /// 1009: a frame over the limit.
    MessageTooLarge,
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
    pub(crate) fn as_u16(self) -> u16 {
        match self {
            CloseCode::ProtocolError => 1002,
            CloseCode::InvalidUtf8 => 1007,
            CloseCode::MessageTooLarge => 1009,
            CloseCode::TooSlow => 1013,
            CloseCode::Expired => 4401,
            CloseCode::Refused | CloseCode::Revoked => 4403,
            CloseCode::Failed => 4500,
            CloseCode::Idle => 4508,
        }
    }

    /// Whether the connection ends because its bytes cannot be read on.
    pub(crate) fn is_unreadable(self) -> bool {
        matches!(self, CloseCode::ProtocolError | CloseCode::InvalidUtf8 | CloseCode::MessageTooLarge)
    }

    #[cfg(feature = "axum")]
    pub(super) fn reason(self) -> &'static str {
        match self {
            CloseCode::ProtocolError => "protocol error",
            CloseCode::InvalidUtf8 => "invalid text",
            CloseCode::MessageTooLarge => "message too large",
            CloseCode::TooSlow => "too slow",
            CloseCode::Expired => "credentials expired",
            CloseCode::Refused => "refused",
            CloseCode::Revoked => "revoked",
            CloseCode::Failed => "internal error",
            CloseCode::Idle => "idle",
        }
    }
}
