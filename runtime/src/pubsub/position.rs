//! Positions in the history of a group, as clients keep them.

use std::fmt;
use std::sync::{Arc, OnceLock};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{KeyInit, Tag, XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize};

use crate::broker::{ClusterKey, LogName, LogPosition};
use crate::error::Result;
use crate::random::random_bytes;

/// A position in the history of a group: which events of it a client has had. Events of such groups carry theirs in
/// `position`, and [`Context::join_from`](crate::Context::join_from) takes and returns one.
///
/// It is text that only this service can read, and each time another one, so that it tells a client nothing: neither the number
/// of events, nor whether there were others that it may not see. It is good for one group, for a [limited
/// time](crate::guide::events#history), and on all machines that share a [`cluster_key`](crate::Endpoint::cluster_key). Any
/// other text deserializes too; no events are recovered by it.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(String);

const NONCE_LEN: usize = 24;
const TAG_LEN: usize = 16;
const CONTENT_LEN: usize = 16;

/// Encrypts positions. The name of the log is authenticated, so that a position of one group is none of another.
pub(super) struct PositionKey(XChaCha20Poly1305);

impl PositionKey {
    /// Creates the key that all machines with a cluster key share, or one for this endpoint.
    ///
    /// # Errors
    ///
    /// A fault if the operating system has no random numbers.
    pub(super) fn new(key: Option<&ClusterKey>) -> Result<PositionKey> {
        let secret = match key {
            Some(key) => key.derive("positions"),
            None => random_bytes()?,
        };
        Ok(PositionKey(XChaCha20Poly1305::new(&secret.into())))
    }

    /// Encrypts a position. `None` if the operating system has no random numbers.
    pub(super) fn seal(&self, log: LogName, position: LogPosition) -> Option<Position> {
        let nonce: [u8; NONCE_LEN] = random_bytes().ok()?;
        let mut content = [0; CONTENT_LEN];
        content[..8].copy_from_slice(&position.epoch.to_be_bytes());
        content[8..].copy_from_slice(&position.sequence.to_be_bytes());
        let tag =
            self.0.encrypt_inout_detached(&XNonce::from(nonce), log.as_bytes(), content.as_mut_slice().into()).ok()?;
        let mut sealed = Vec::with_capacity(NONCE_LEN + CONTENT_LEN + TAG_LEN);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&content);
        sealed.extend_from_slice(&tag);
        Some(Position(BASE64_URL_SAFE_NO_PAD.encode(sealed)))
    }

    /// Decrypts a position. `None` if it is none of this log.
    pub(super) fn open(&self, log: LogName, position: &Position) -> Option<LogPosition> {
        const LEN: usize = NONCE_LEN + CONTENT_LEN + TAG_LEN;
        // Before it is decoded, so that long text costs nothing.
        if position.0.len() > LEN * 4 / 3 + 1 {
            return None;
        }
        let sealed: [u8; LEN] = BASE64_URL_SAFE_NO_PAD.decode(&position.0).ok()?.try_into().ok()?;
        let (nonce, rest) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let (content, tag) = rest.split_first_chunk::<CONTENT_LEN>()?;
        let mut content = *content;
        let tag = Tag::try_from(tag).ok()?;
        let cipher = &self.0;
        cipher
            .decrypt_inout_detached(&XNonce::from(*nonce), log.as_bytes(), content.as_mut_slice().into(), &tag)
            .ok()?;
        let (epoch, sequence) = content.split_first_chunk::<8>()?;
        Some(LogPosition { epoch: u64::from_be_bytes(*epoch), sequence: u64::from_be_bytes(sequence.try_into().ok()?) })
    }
}

impl Position {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The position of an event that is delivered, and its text in frames.
pub(super) struct EventPosition {
    key: Option<Arc<PositionKey>>,
    pub(super) log: LogName,
    pub(super) position: LogPosition,
    text: OnceLock<Option<Position>>,
}

impl EventPosition {
    /// Returns a position of a log. Without a key, frames do not show it.
    pub(super) fn new(key: Option<Arc<PositionKey>>, log: LogName, position: LogPosition) -> EventPosition {
        EventPosition { key, log, position, text: OnceLock::new() }
    }

    /// Returns the text. `None` if the operating system has no random numbers.
    pub(super) fn text(&self) -> Option<&str> {
        let seal = || self.key.as_ref()?.seal(self.log, self.position);
        self.text.get_or_init(seal).as_ref().map(Position::as_str)
    }
}

impl fmt::Debug for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Position").field(&self.0).finish()
    }
}

impl fmt::Debug for PositionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PositionKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::broker::LogId;

    fn log(key: &[u8]) -> LogName {
        LogId::new("Room", key, 1, Duration::ZERO).name()
    }

    #[test]
    fn position_is_read_with_its_key_for_its_log_only() {
        let position = LogPosition { epoch: u64::MAX, sequence: 7 };
        let (key, other) = (PositionKey::new(None).unwrap(), PositionKey::new(None).unwrap());
        let sealed = key.seal(log(b"[1]"), position).unwrap();
        assert_eq!(key.open(log(b"[1]"), &sealed), Some(position));
        assert_eq!(key.open(log(b"[2]"), &sealed), None);
        assert_eq!(other.open(log(b"[1]"), &sealed), None);
        for index in 0..sealed.0.len() {
            let mut text = sealed.0.clone();
            let changed = if text.as_bytes()[index] == b'A' { "B" } else { "A" };
            text.replace_range(index..=index, changed);
            // The last digit has bits that mean nothing, which must be zero.
            assert_eq!(key.open(log(b"[1]"), &Position(text)), None, "{index}");
        }
        for text in ["", "AAAA", &"A".repeat(10_000), "\u{1f600}", &format!("{}A", sealed.0)] {
            assert_eq!(key.open(log(b"[1]"), &Position(text.to_owned())), None);
        }
    }

    #[test]
    fn position_is_another_text_each_time() {
        let (key, position) = (PositionKey::new(None).unwrap(), LogPosition { epoch: 1, sequence: 7 });
        assert_ne!(key.seal(log(b"[1]"), position), key.seal(log(b"[1]"), position));
    }

    #[test]
    fn machines_with_one_cluster_key_share_positions() {
        let cluster_key = |byte| ClusterKey::new(&[byte; 32]).unwrap();
        let [one, same, other] = [7, 7, 8].map(|byte| PositionKey::new(Some(&cluster_key(byte))).unwrap());
        let position = LogPosition { epoch: 1, sequence: 7 };
        let sealed = one.seal(log(b"[1]"), position).unwrap();
        assert_eq!(same.open(log(b"[1]"), &sealed), Some(position));
        assert_eq!(other.open(log(b"[1]"), &sealed), None);
    }
}
