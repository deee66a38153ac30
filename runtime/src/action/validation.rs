//! Validation of arguments by the crate `garde`: one entry of the reply per field, without the values of the client.

use std::fmt::{self, Display, Write};

use garde::{Path, Report, Validate};
use http::StatusCode;

use super::argument_error::shorten;
use crate::error::{Error, Result};

/// Maximum number of entries. The reply names no further fields.
const MAX_ENTRIES: usize = 32;
/// Maximum number of errors that are read. A report may have one per element of a list of the message, or more.
const MAX_ERRORS: usize = 256;
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
    label = "does not implement `garde::Validate<Context = ()>`",
    note = "derive `garde::Validate` for `{Self}` without a `context`, or wrap a foreign type in one that derives it; to validate only some arguments, name them: `validate(..)`"
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
    let mut fields: Vec<(&Path, String)> = Vec::new();
    for (path, error) in report.iter().take(MAX_ERRORS) {
        let reason = shorten(error.message(), MAX_REASON_CHARS);
        if let Some((_, reasons)) = fields.iter_mut().find(|(known, _)| *known == path) {
            *reasons = shorten(&format!("{reasons}; {reason}"), MAX_REASON_CHARS);
        } else if fields.len() < MAX_ENTRIES {
            fields.push((path, reason));
        } else {
            break;
        }
    }
    let fields = fields.into_iter().map(|(path, reasons)| (format_shortened(path, MAX_PATH_CHARS), reasons));
    let entries = fields.map(|(path, reasons)| {
        let error = Error::new(StatusCode::BAD_REQUEST, "invalid_argument", reasons);
        if path.is_empty() { error } else { error.with_field(path) }
    });
    entries.reduce(Error::and).unwrap_or_else(|| Error::internal("bug: an empty validation report has no error"))
}

/// Formats a value as [`shorten`] would shorten its text. Formats no more than that, because a key may be as long as the message.
fn format_shortened(value: &impl Display, max_chars: usize) -> String {
    let mut text = ShortenedText { text: String::new(), remaining_chars: max_chars };
    // An error means that the text is full.
    let _ = write!(text, "{value}");
    text.text
}

/// A text that takes a number of characters, and ends with an ellipsis if that shortens it.
struct ShortenedText {
    text: String,
    remaining_chars: usize,
}

impl Write for ShortenedText {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        if let Some((end, _)) = part.char_indices().nth(self.remaining_chars) {
            self.text.push_str(&part[..end]);
            self.text.push('…');
            return Err(fmt::Error);
        }
        self.remaining_chars -= part.chars().count();
        self.text.push_str(part);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

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

    /// Counts its parts that are formatted.
    struct LongPath<'c>(&'c Cell<usize>);

    impl Display for LongPath<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            for part in ["items", ".", &"k".repeat(60_000), "[", "7", "]"] {
                self.0.set(self.0.get() + 1);
                f.write_str(part)?;
            }
            Ok(())
        }
    }

    #[test]
    fn path_is_formatted_up_to_its_maximum_length() {
        let parts = Cell::new(0);
        assert_eq!(format_shortened(&LongPath(&parts), 8), "items.kk…");
        assert_eq!(parts.get(), 3, "formatting goes on behind the maximum");
        for (text, shortened) in [("", ""), ("äöü", "äöü"), ("äöüß", "äöüß"), ("äöüße", "äöüß…")]
        {
            assert_eq!((&*format_shortened(&text, 4), &*shorten(text, 4)), (shortened, shortened));
        }
    }

    #[test]
    fn long_paths_that_are_shown_alike_are_several_fields() {
        let key = Path::new("k".repeat(60_000));
        let mut report = Report::new();
        for index in 0..16_000usize {
            report.append(key.join(index), garde::Error::new("too short"));
        }
        let entries = entries(&report);
        assert_eq!(entries.len(), MAX_ENTRIES);
        assert!(entries.iter().all(|(_, reason)| reason == "too short"), "{entries:?}");
    }

    #[test]
    fn errors_of_one_field_are_looked_at_up_to_a_number() {
        let mut report = Report::new();
        for _ in 0..MAX_ERRORS {
            report.append(Path::new("a"), garde::Error::new(""));
        }
        report.append(Path::new("b"), garde::Error::new("too short"));
        assert_eq!(entries(&report).len(), 1);
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
