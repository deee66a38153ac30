//! Conversion of the error of an action into [`Error`].
//!
//! A blanket `From<E: std::error::Error> for Error` would forbid applications a `From` for their own error types. So
//! generated code calls `__into_error` on an [`ErrorType`], and method resolution takes the first level that applies: an
//! error that converts into [`Error`], any other `std::error::Error`, an erased error. Each level is behind the
//! [`Deref`] of the one before.

use std::error::Error as StdError;
use std::marker::PhantomData;
use std::ops::Deref;

use crate::error::Error;

/// The type of an action's error: the level of types that convert into [`Error`].
#[derive(Debug)]
pub struct ErrorType<E>(StdErrorType<E>);

/// The level of types that implement [`std::error::Error`].
#[derive(Debug)]
pub struct StdErrorType<E>(ErasedErrorType<E>);

/// The level of erased errors, which do not implement [`std::error::Error`].
#[derive(Debug)]
pub struct ErasedErrorType<E>(OtherErrorType<E>);

/// The level of all other types, none of which is accepted.
#[derive(Debug)]
pub struct OtherErrorType<E>(PhantomData<fn() -> E>);

/// An error that an action may return. It exists for its message: the other levels accept what is accepted.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the error of an action",
    label = "not an error of an action",
    note = "implement `From<{Self}>` for `portcullis::Error` to choose the status, or `std::error::Error` for `{Self}` to reply with 500",
    note = "or convert: `.map_err(|error| portcullis::Error::conflict(..))?`; `anyhow::Error` needs the feature `anyhow` of Portcullis"
)]
pub trait ActionError: Into<Error> {}

#[diagnostic::do_not_recommend]
impl ActionError for Error {}

/// Returns the type of an action's error.
pub fn error_conversion<E>(_: &E) -> ErrorType<E> {
    ErrorType(StdErrorType(ErasedErrorType(OtherErrorType(PhantomData))))
}

impl<E: Into<Error>> ErrorType<E> {
    /// Converts the error.
    pub fn __into_error(&self, error: E) -> Error {
        error.into()
    }
}

impl<E: StdError + Send + Sync + 'static> StdErrorType<E> {
    /// Returns a fault, or the [`Error`] if the type is a boxed one or a type parameter that stands for it.
    pub fn __into_error(&self, error: E) -> Error {
        Error::from_boxed(Box::new(error))
    }
}

impl ErasedErrorType<Box<dyn StdError + Send + Sync>> {
    /// Returns the [`Error`] that was erased, or a fault.
    pub fn __into_error(&self, error: Box<dyn StdError + Send + Sync>) -> Error {
        Error::from_boxed(error)
    }
}

#[cfg(feature = "anyhow")]
impl ErasedErrorType<anyhow::Error> {
    /// Returns the [`Error`] that was erased, or a fault.
    pub fn __into_error(&self, error: anyhow::Error) -> Error {
        Error::from_anyhow(error)
    }
}

impl<E> OtherErrorType<E> {
    /// Fails to compile for every type that reaches this level.
    pub fn __into_error(&self, error: E) -> Error
    where
        E: ActionError,
    {
        error.into()
    }
}

impl<E> Deref for ErrorType<E> {
    type Target = StdErrorType<E>;

    fn deref(&self) -> &StdErrorType<E> {
        &self.0
    }
}

impl<E> Deref for StdErrorType<E> {
    type Target = ErasedErrorType<E>;

    fn deref(&self) -> &ErasedErrorType<E> {
        &self.0
    }
}

impl<E> Deref for ErasedErrorType<E> {
    type Target = OtherErrorType<E>;

    fn deref(&self) -> &OtherErrorType<E> {
        &self.0
    }
}
