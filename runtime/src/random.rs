//! Random numbers that cannot be guessed.

use crate::error::{Error, Result};

/// Draws random bytes.
///
/// # Errors
///
/// A fault if the operating system has no random numbers.
pub(crate) fn random_bytes<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| Error::internal(format!("no random numbers: {error}")))?;
    Ok(bytes)
}
