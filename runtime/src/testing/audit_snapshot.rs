//! A snapshot of the audit as a file in the repository, so that a change of permissions shows in review.

use std::fmt::Write as _;
use std::path::Path;
use std::{fs, io};

use crate::consumer::audit;

/// Compares the [`audit`](crate::audit) of the program with a file that has one line per entry. The path is relative to the
/// package.
///
/// If they differ, the macro panics with the added and the removed lines. To accept a change, run the test with the
/// environment variable `UPDATE_AUDIT` set, which writes the file, and review and commit it.
///
/// Only consumers that are linked into the test are found: name the crates that have them.
///
/// ```no_run
/// portcullis::assert_audit!("audit.snap");
/// ```
///
/// # Panics
///
/// Panics if the audit differs from the file, if the file is missing or cannot be read or written, if no consumer is
/// linked into the test, or if two consumers have the same name.
#[macro_export]
macro_rules! assert_audit {
    ($file:expr) => {
        $crate::testing::compare_audit(
            ::std::path::Path::new(::core::env!("CARGO_MANIFEST_DIR")).join($file).as_path(),
            ::std::env::var_os("UPDATE_AUDIT").is_some(),
        )
    };
}

/// Implements [`assert_audit!`](crate::assert_audit).
#[doc(hidden)]
#[track_caller]
pub fn compare_audit(file: &Path, update: bool) {
    let actual = audit().unwrap_or_else(|error| panic!("{error}"));
    let actual: String = actual.entries().iter().fold(String::new(), |mut all, entry| {
        let route = if entry.route.is_empty() { "-" } else { &entry.route };
        // Writing to a string cannot fail.
        let _ = writeln!(all, "{} {route} {}: {}", entry.consumer, entry.action, entry.effect());
        all
    });
    assert!(!actual.is_empty(), "no consumer is linked into this test; name the crate that has them");
    if update {
        let written = fs::write(file, &actual);
        return written.unwrap_or_else(|error| panic!("{} cannot be written: {error}", file.display()));
    }
    let expected = match fs::read_to_string(file) {
        Ok(expected) => expected.replace('\r', ""),
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => panic!("{} cannot be read: {error}", file.display()),
    };
    assert!(
        expected == actual,
        "the audit differs from {}:\n\n{}\nif the change is intended, run the test again with UPDATE_AUDIT=1",
        file.display(),
        diff_lines(&expected, &actual)
    );
}

/// Returns the removed lines, each after `-`, and the added lines, each after `+`.
fn diff_lines(expected: &str, actual: &str) -> String {
    let only = |one: &str, other: &str, sign: char| {
        let lines = one.lines().filter(|line| !other.lines().any(|known| known == *line));
        lines.fold(String::new(), |all, line| format!("{all}{sign} {line}\n"))
    };
    let changed = only(expected, actual, '-') + &only(actual, expected, '+');
    if changed.is_empty() { "the lines are the same, but their order or number differs\n".to_owned() } else { changed }
}
