//! The identifier of a machine: [`MachineId`].

use std::fmt;

use serde::{Serialize, Serializer};

use crate::error::Result;
use crate::random::random_bytes;

/// Identifies a machine of a service, which is one endpoint in one process: 128 random bits, drawn when the endpoint got its
/// broker. Another start is another machine. [`Snapshot::cluster`](crate::Snapshot::cluster) and the log entry `broker
/// connected` show that of this machine. Its [`Display`](fmt::Display) form has 32 hexadecimal digits, and so has the
/// serialized one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MachineId([u8; 16]);

impl MachineId {
    /// Draws an id.
    ///
    /// # Errors
    ///
    /// A fault if the operating system has no random numbers.
    pub(super) fn random() -> Result<MachineId> {
        random_bytes().map(MachineId)
    }

    pub(super) fn from_bytes(bytes: [u8; 16]) -> MachineId {
        MachineId(bytes)
    }

    pub(super) fn to_bytes(self) -> [u8; 16] {
        self.0
    }
}

impl fmt::Display for MachineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl Serialize for MachineId {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Debug for MachineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
