//! Return types of `#[connect]` and `#[authenticate]` methods.

use crate::error::{Error, Result};

/// What `#[authenticate]` returned.
#[diagnostic::on_unimplemented(
    message = "`#[authenticate]` cannot return `{Self}`",
    label = "does not say who it is",
    note = "return `Result<Option<{U}>, E>` with an error that converts into `portcullis::Error`; `None` is nobody"
)]
pub trait Identity<U> {
    /// As a result.
    fn identity(self) -> Result<Option<U>>;
}

impl<U, E: Into<Error>> Identity<U> for Result<Option<U>, E> {
    fn identity(self) -> Result<Option<U>> {
        self.map_err(Into::into)
    }
}

/// What `#[connect]` returned.
#[diagnostic::on_unimplemented(
    message = "`#[connect]` cannot return `{Self}`",
    label = "cannot be the outcome of `#[connect]`",
    note = "return nothing, or a `Result<(), E>` whose error converts into `portcullis::Error`"
)]
pub trait HookOutcome {
    /// As a result.
    fn outcome(self) -> Result<()>;
}

impl HookOutcome for () {
    fn outcome(self) -> Result<()> {
        Ok(())
    }
}

impl<E: Into<Error>> HookOutcome for Result<(), E> {
    fn outcome(self) -> Result<()> {
        self.map_err(Into::into)
    }
}
