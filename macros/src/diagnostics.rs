//! Collects the errors of one macro call, so that one compiler run reports all of them.

use std::fmt::Display;

use quote::ToTokens;

/// The errors found so far.
///
/// # Panics
///
/// Dropping it without a call of [`finish`](Self::finish) panics, since its errors would be lost.
pub(crate) struct Diagnostics {
    errors: Option<Vec<syn::Error>>,
}

impl Diagnostics {
    pub(crate) fn new() -> Self {
        Self { errors: Some(Vec::new()) }
    }

    /// Adds an error that underlines `at`.
    pub(crate) fn error(&mut self, tokens: impl ToTokens, message: impl Display) {
        self.add(syn::Error::new_spanned(tokens, message));
    }

    pub(crate) fn add(&mut self, error: syn::Error) {
        self.errors.get_or_insert_default().push(error);
    }

    /// Returns the value, or records the error and returns `None`.
    pub(crate) fn record<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.add(error)).ok()
    }

    /// Returns the value of a partial result and records its error.
    pub(crate) fn record_partial<T>(&mut self, (value, error): (T, Option<syn::Error>)) -> T {
        if let Some(error) = error {
            self.add(error);
        }
        value
    }

    /// Returns all errors combined into one, in the order in which they were found.
    ///
    /// # Errors
    ///
    /// Fails if at least one error was recorded.
    pub(crate) fn finish(mut self) -> syn::Result<()> {
        let errors = self.errors.take().unwrap_or_default();
        let combined = errors.into_iter().reduce(|mut all, error| {
            all.combine(error);
            all
        });
        combined.map_or(Ok(()), Err)
    }
}

impl Drop for Diagnostics {
    fn drop(&mut self) {
        assert!(
            self.errors.is_none() || std::thread::panicking(),
            "bug: diagnostics dropped without a call of `finish`"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::Diagnostics;
    use quote::quote;

    #[test]
    fn finish_with_errors_returns_all_in_order() {
        let mut diagnostics = Diagnostics::new();
        diagnostics.error(quote!(a), "first");
        assert_eq!(diagnostics.record::<()>(Err(syn::Error::new_spanned(quote!(b), "second"))), None);
        assert_eq!(diagnostics.record_partial((3, None)), 3);
        let messages: Vec<_> = diagnostics.finish().unwrap_err().into_iter().map(|error| error.to_string()).collect();
        assert_eq!(messages, ["first", "second"]);
    }

    #[test]
    fn finish_without_errors_succeeds() {
        assert!(Diagnostics::new().finish().is_ok());
    }

    #[test]
    #[should_panic(expected = "dropped without a call of `finish`")]
    fn drop_without_finish_panics() {
        drop(Diagnostics::new());
    }
}
