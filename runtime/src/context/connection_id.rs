//! The identifier of a connection: [`ConnectionId`].

use std::fmt;
use std::time::Duration;

use crate::error::Result;
use crate::random::random_bytes;

/// Identifies a connection: 128 random bits, drawn during its handshake.
///
/// It stays the same for the lifetime of the connection, also when its client re-authenticates. It grants nothing, so it may
/// be logged and shown. Returned by [`Scope::connection_id`](crate::Scope::connection_id); its [`Display`](fmt::Display)
/// form has 32 hexadecimal digits.
///
/// ```
/// use portcullis::{Context, User};
///
/// fn log_line<U: User>(cx: &Context<'_, U>) -> String {
///     format!("connection {}: {}", cx.scope().connection_id(), cx.action())
/// }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId([u8; 16]);

impl ConnectionId {
    /// The id of a scope that belongs to no connection.
    pub(crate) const NIL: ConnectionId = ConnectionId([0; 16]);

    /// Returns a part of a duration that is spread evenly over the connections.
    pub(crate) fn share_of(self, duration: Duration) -> Duration {
        let [first, second, ..] = self.0;
        duration * u32::from(u16::from_be_bytes([first, second])) / u32::from(u16::MAX)
    }

    /// Returns a number below `length`, spread evenly over the connections. `length` must not be zero.
    pub(crate) fn index_below(self, length: usize) -> usize {
        let [.., first, second] = self.0;
        usize::from(u16::from_be_bytes([first, second])) % length
    }

    /// Returns the id with these bytes, which another machine has drawn.
    pub(crate) fn from_bytes(bytes: [u8; 16]) -> ConnectionId {
        ConnectionId(bytes)
    }

    pub(crate) fn to_bytes(self) -> [u8; 16] {
        self.0
    }

    /// Draws an id.
    ///
    /// # Errors
    ///
    /// A fault if the operating system has no random numbers.
    pub(crate) fn random() -> Result<ConnectionId> {
        random_bytes().map(ConnectionId)
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connection_ids_differ_and_are_written_as_32_digits() {
        let (first, second) = (ConnectionId::random().unwrap(), ConnectionId::random().unwrap());
        assert_ne!(first, second);
        let digits = first.to_string();
        assert!(digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()), "{digits}");
        assert_eq!(format!("{:?}", ConnectionId::NIL), "0".repeat(32));
    }
}
