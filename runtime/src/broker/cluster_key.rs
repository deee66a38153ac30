//! The secret that the machines of a service share.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The length of a tag in bytes.
pub(super) const TAG_LEN: usize = 32;

/// Authenticates the messages between machines by HMAC-SHA-256.
#[derive(Clone)]
pub(crate) struct ClusterKey(Hmac<Sha256>);

impl ClusterKey {
    /// The shortest secret that is accepted, in bytes.
    pub(crate) const MIN_LEN: usize = 32;

    /// Creates a key from a secret. `None` if it is too short.
    pub(crate) fn new(secret: &[u8]) -> Option<ClusterKey> {
        if secret.len() < ClusterKey::MIN_LEN {
            return None;
        }
        Hmac::new_from_slice(secret).ok().map(ClusterKey)
    }

    /// Derives another key, which tells nothing about this one.
    pub(crate) fn derive(&self, purpose: &str) -> [u8; TAG_LEN] {
        // No channel has this name: those of channels start with a namespace and a slash.
        self.tag(purpose, &[])
    }

    /// Returns the tag of a message on a channel of a namespace.
    pub(super) fn tag(&self, channel: &str, message: &[u8]) -> [u8; TAG_LEN] {
        self.mac(channel, message).finalize().into_bytes().into()
    }

    /// Returns whether a tag is that of a message. Takes the same time wherever they differ.
    pub(super) fn verify(&self, channel: &str, message: &[u8], tag: &[u8]) -> bool {
        self.mac(channel, message).verify_slice(tag).is_ok()
    }

    fn mac(&self, channel: &str, message: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        // The length comes first, so that no message on another channel has the same input.
        mac.update(&(channel.len() as u64).to_be_bytes());
        mac.update(channel.as_bytes());
        mac.update(message);
        mac
    }
}

impl fmt::Debug for ClusterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClusterKey(..)")
    }
}
