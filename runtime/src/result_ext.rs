//! The conversion of foreign errors into faults.

use std::error::Error as StdError;

use crate::error::{Error, Result};

/// Converts foreign errors in functions that return a [`Result`], such as permissions and extractors.
///
/// An action may return other error types itself, see [`Error`].
///
/// ```
/// use portcullis::{Handler, Permission, PermissionContext, Result, ResultExt};
///
/// /// Grants access while the flag is in a file.
/// struct Enabled;
///
/// impl<H: Handler> Permission<H> for Enabled {
///     async fn has_permission(&self, _handler: &H, _cx: &PermissionContext<'_, H::User>) -> Result<bool> {
///         Ok(std::fs::read_to_string("/run/enabled").fault()?.trim() == "yes")
///     }
/// }
/// ```
pub trait ResultExt<T> {
    /// Turns an error into a fault: status 500, and the cause is logged under an id. An [`Error`] stays as it is.
    ///
    /// # Errors
    ///
    /// The converted error.
    fn fault(self) -> Result<T>;
}

impl<T, E: Into<Box<dyn StdError + Send + Sync>> + 'static> ResultExt<T> for Result<T, E> {
    fn fault(self) -> Result<T> {
        self.map_err(|error| {
            #[cfg(feature = "anyhow")]
            let error = match downcast(error) {
                Ok(error) => return Error::from_anyhow(error),
                Err(error) => error,
            };
            Error::from_boxed(error.into())
        })
    }
}

/// Returns the value as a `T`, or unchanged if it is another type.
#[cfg(feature = "anyhow")]
fn downcast<E: 'static, T: 'static>(value: E) -> Result<T, E> {
    let mut value = Some(value);
    let same_type: Option<&mut Option<T>> = (&mut value as &mut dyn std::any::Any).downcast_mut();
    match (same_type.and_then(Option::take), value) {
        (Some(same), _) => Ok(same),
        (None, Some(value)) => Err(value),
        (None, None) => unreachable!("bug: a value was taken and lost"),
    }
}
