//! Validation of arguments by the crate `garde`: one entry of the reply per field, without the values of the client.

use garde::{Path, Report, Validate};
use http::StatusCode;

use super::argument_error::shorten;
use crate::error::{Error, Result};

/// Maximum number of entries. The reply names no further fields.
const MAX_ENTRIES: usize = 32;
/// Maximum length of the path of a field, in characters. It may contain keys of the message.
const MAX_PATH_CHARS: usize = 128;
/// Maximum length of the reasons of one field, in characters.
const MAX_REASON_CHARS: usize = 256;

/// What the validation of one message has found.
#[derive(Debug)]
pub struct Validation(Report);

impl Validation {
    /// Creates a validation that has found nothing.
    pub fn start() -> Validation {
        Validation(Report::new())
    }

    /// Returns what was found.
    ///
    /// # Errors
    ///
    /// 400 with one entry per field.
    pub fn finish(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(into_error(&self.0)) }
    }
}

/// An argument that `#[action(validate)]` can validate. `M` is a marker that the compiler infers.
#[diagnostic::on_unimplemented(
    message = "the argument `{Self}` cannot be validated",
    label = "is no `garde::Validate<Context = ()>`",
    note = "derive `garde::Validate` for `{Self}`, without a `context`; or name the arguments to validate, as in `validate(message)`"
)]
pub trait ValidatedArgument<M> {
    /// Validates the argument. `key` is its key in the message, or empty if it is a part of the message without a key.
    fn validate_into(&self, key: &'static str, validation: &mut Validation);
}

/// Marks types that `garde` validates.
#[derive(Debug)]
pub struct ByGarde;

impl<T: Validate<Context = ()>> ValidatedArgument<ByGarde> for T {
    fn validate_into(&self, key: &'static str, validation: &mut Validation) {
        let mut parent = || if key.is_empty() { Path::empty() } else { Path::new(key) };
        Validate::validate_into(self, &(), &mut parent, &mut validation.0);
    }
}

/// A trait without implementations. With a single impl of [`ValidatedArgument`] the compiler would report the missing
/// `Validate`; with two candidates it reports the message of [`ValidatedArgument`].
pub trait Unimplemented {}

impl<T: Unimplemented> ValidatedArgument<()> for T {
    fn validate_into(&self, _: &'static str, _: &mut Validation) {}
}

/// Returns the error of a report that is not empty, with the fields in the order of the report.
fn into_error(report: &Report) -> Error {
    let mut fields: Vec<(String, String)> = Vec::new();
    for (path, error) in report.iter() {
        let path = shorten(&path.to_string(), MAX_PATH_CHARS);
        if let Some((_, reasons)) = fields.iter_mut().find(|(known, _)| *known == path) {
            *reasons = shorten(&format!("{reasons}; {}", error.message()), MAX_REASON_CHARS);
            continue;
        }
        // A report may be as long as a list of the message.
        if fields.len() == MAX_ENTRIES {
            break;
        }
        fields.push((path, shorten(error.message(), MAX_REASON_CHARS)));
    }
    let entries = fields.into_iter().map(|(path, reasons)| {
        let error = Error::new(StatusCode::BAD_REQUEST, "invalid_argument", reasons);
        if path.is_empty() { error } else { error.with_field(path) }
    });
    entries.reduce(Error::and).unwrap_or_else(|| Error::internal("bug: an empty validation report has no error"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(report: &Report) -> Vec<(String, String)> {
        let error = into_error(report);
        assert!(error.entries().all(|entry| entry.status() == 400 && entry.code() == "invalid_argument"));
        error.entries().map(|entry| (entry.field().unwrap_or_default().to_owned(), entry.detail().to_owned())).collect()
    }

    #[test]
    fn errors_of_one_field_are_one_entry() {
        let mut report = Report::new();
        report.append(Path::new("a").join("b"), garde::Error::new("too short"));
        report.append(Path::new("c").join(2usize).join("d"), garde::Error::new("not ascii"));
        report.append(Path::new("a").join("b"), garde::Error::new("not ascii"));
        report.append(Path::empty(), garde::Error::new("too many"));
        let expected = [("a.b", "too short; not ascii"), ("c[2].d", "not ascii"), ("", "too many")];
        assert_eq!(entries(&report), expected.map(|(path, reason)| (path.to_owned(), reason.to_owned())));
    }

    #[test]
    fn entries_are_bounded_in_number_and_length() {
        let mut report = Report::new();
        for index in 0..10_000usize {
            report.append(Path::new("k".repeat(2000)).join(index), garde::Error::new("x".repeat(2000)));
            report.append(Path::new("a").join(index), garde::Error::new("x".repeat(2000)));
        }
        let entries = entries(&report);
        assert_eq!(entries.len(), MAX_ENTRIES);
        assert!(entries.iter().all(|(path, _)| path.chars().count() <= MAX_PATH_CHARS + 1));
        assert!(entries.iter().all(|(_, reason)| reason.chars().count() == MAX_REASON_CHARS + 1));
    }
}
