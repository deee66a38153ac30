//! The identifier of a machine: [`MachineId`].

use std::fmt;

use crate::error::{Error, Result};

/// Identifies a machine of a service, which is one endpoint in one process: 128 random bits, drawn when the endpoint got its
/// broker. Another start is another machine.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MachineId([u8; 16]);

impl MachineId {
    /// Draws an id.
    ///
    /// # Errors
    ///
    /// A fault if the operating system has no random numbers.
    pub(super) fn random() -> Result<MachineId> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|error| Error::internal(format!("no random numbers: {error}")))?;
        Ok(MachineId(bytes))
    }

    pub(super) fn from_bytes(bytes: [u8; 16]) -> MachineId {
        MachineId(bytes)
    }

    pub(super) fn to_bytes(self) -> [u8; 16] {
        self.0
    }
}

/// 32 hexadecimal digits.
impl fmt::Display for MachineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for MachineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
