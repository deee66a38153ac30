//! Who may do what, as a file in the repository: a change of it shows in review.

use std::fmt::Write as _;
use std::path::Path;
use std::{fs, io};

use crate::consumer::audit;

/// Compares the program's [`audit`](crate::audit) with a file, one line a way in. The path is relative to the package.
///
/// It fails with the lines that are new and those that are gone. Where the change is meant, run the test with the
/// environment variable `UPDATE_AUDIT` set: the file is written anew, to be reviewed and committed.
///
/// Only what is linked into the test is there to be found: name the crates whose consumers it is about.
///
/// ```no_run
/// portcullis::assert_audit!("audit.snap");
/// ```
///
/// # Panics
///
/// When the audit is another than the file says, when the file is missing, and when two consumers have one name.
#[macro_export]
macro_rules! assert_audit {
    ($file:expr) => {
        $crate::testing::compare_audit(
            ::std::path::Path::new(::core::env!("CARGO_MANIFEST_DIR")).join($file).as_path(),
            ::std::env::var_os("UPDATE_AUDIT").is_some(),
        )
    };
}

/// What [`assert_audit!`](crate::assert_audit) does.
#[doc(hidden)]
#[track_caller]
pub fn compare_audit(file: &Path, update: bool) {
    let actual = audit().unwrap_or_else(|error| panic!("{error}"));
    let actual: String = actual.entries().iter().fold(String::new(), |mut all, entry| {
        let route = if entry.route.is_empty() { "-" } else { &entry.route };
        // Writing to a string cannot fail.
        let _ = writeln!(all, "{} {route} {}: {}", entry.consumer, entry.action, entry.permission);
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
        "who may do what is not what {} says:\n\n{}\nif this is meant, run the test again with UPDATE_AUDIT=1",
        file.display(),
        diff_lines(&expected, &actual)
    );
}

/// The lines that are gone, and those that are new.
fn diff_lines(expected: &str, actual: &str) -> String {
    let only = |one: &str, other: &str, sign: char| {
        let lines = one.lines().filter(|line| !other.lines().any(|known| known == *line));
        lines.fold(String::new(), |all, line| format!("{all}{sign} {line}\n"))
    };
    let changed = only(expected, actual, '-') + &only(actual, expected, '+');
    if changed.is_empty() { "the same lines in another order, or more than once\n".to_owned() } else { changed }
}
