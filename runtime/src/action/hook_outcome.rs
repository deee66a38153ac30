//! Return types of `#[connect]` and `#[authenticate]` methods.

use crate::error::{Error, Result};

/// A return type of an `#[authenticate]` method.
#[diagnostic::on_unimplemented(
    message = "`#[authenticate]` cannot return `{Self}`",
    label = "not the result of an authentication",
    note = "return `Result<Option<{U}>, E>`, where `E` converts into `portcullis::Error`; `None` means that the credentials are invalid"
)]
pub trait Identity<U> {
    /// Converts into a result with the crate's error type.
    fn into_identity(self) -> Result<Option<U>>;
}

impl<U, E: Into<Error>> Identity<U> for Result<Option<U>, E> {
    fn into_identity(self) -> Result<Option<U>> {
        self.map_err(Into::into)
    }
}

/// A return type of a `#[connect]` method.
#[diagnostic::on_unimplemented(
    message = "`#[connect]` cannot return `{Self}`",
    label = "not a return type of `#[connect]`",
    note = "return nothing, or `Result<(), E>`, where `E` converts into `portcullis::Error`"
)]
pub trait HookOutcome {
    /// Converts into a result with the crate's error type.
    fn into_result(self) -> Result<()>;
}

impl HookOutcome for () {
    fn into_result(self) -> Result<()> {
        Ok(())
    }
}

impl<E: Into<Error>> HookOutcome for Result<(), E> {
    fn into_result(self) -> Result<()> {
        self.map_err(Into::into)
    }
}
