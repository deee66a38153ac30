//! Collects the mistakes of one block, so that all of them are told in one run.

use std::fmt::Display;

use quote::ToTokens;

/// The mistakes found so far; dropping it without [`finish`](Self::finish) is a bug and panics.
pub(crate) struct Diagnostics {
    errors: Option<Vec<syn::Error>>,
}

impl Diagnostics {
    pub(crate) fn new() -> Self {
        Self { errors: Some(Vec::new()) }
    }

    /// Notes a mistake and underlines `at`.
    pub(crate) fn error(&mut self, at: impl ToTokens, message: impl Display) {
        self.add(syn::Error::new_spanned(at, message));
    }

    pub(crate) fn add(&mut self, error: syn::Error) {
        self.errors.get_or_insert_default().push(error);
    }

    /// The value, or nothing and a note of what was wrong with it.
    pub(crate) fn record<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.add(error)).ok()
    }

    /// What could be read, with a note of what could not.
    pub(crate) fn record_partial<T>(&mut self, (value, error): (T, Option<syn::Error>)) -> T {
        if let Some(error) = error {
            self.add(error);
        }
        value
    }

    /// All mistakes as one error, in the order they were found.
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
        assert!(self.errors.is_none() || std::thread::panicking(), "diagnostics were dropped unread");
    }
}

#[cfg(test)]
mod tests {
    use super::Diagnostics;
    use quote::quote;

    #[test]
    fn all_mistakes_are_told_in_order() {
        let mut diagnostics = Diagnostics::new();
        diagnostics.error(quote!(a), "first");
        assert_eq!(diagnostics.record::<()>(Err(syn::Error::new_spanned(quote!(b), "second"))), None);
        assert_eq!(diagnostics.record_partial((3, None)), 3);
        let told: Vec<_> = diagnostics.finish().unwrap_err().into_iter().map(|error| error.to_string()).collect();
        assert_eq!(told, ["first", "second"]);
    }

    #[test]
    fn no_mistake_passes() {
        assert!(Diagnostics::new().finish().is_ok());
    }

    #[test]
    #[should_panic(expected = "dropped unread")]
    fn forgetting_to_finish_panics() {
        drop(Diagnostics::new());
    }
}
