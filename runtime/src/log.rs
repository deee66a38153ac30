//! Quotation of untrusted text in log entries, and their ids.

use std::fmt::{self, Write as _};
use std::hash::{BuildHasher, RandomState};

use crate::panic::catch_unwind;

/// Untrusted text as a log field: escaped and cut to a maximum length.
pub(crate) struct Truncated<'a> {
    text: &'a str,
    max_chars: usize,
}

impl<'a> Truncated<'a> {
    /// Quotes a short text, such as an action name, a route or a user id: at most 64 characters.
    pub(crate) fn new(text: &'a str) -> Truncated<'a> {
        Truncated { text, max_chars: 64 }
    }
}

impl fmt::Debug for Truncated<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.text.char_indices().nth(self.max_chars) {
            Some((end, _)) => write!(f, "{:?}..", &self.text[..end]),
            None => write!(f, "{:?}", self.text),
        }
    }
}

/// Returns a random id, under which the cause of a fault is logged.
pub(crate) fn fault_id() -> String {
    format!("{:016x}", RandomState::new().hash_one(()))
}

/// The `Display` text of an error as a log field, escaped and cut to 1000 characters.
///
/// All errors are logged by this type, since the text may quote a client and the `Display` may be application code: a panic
/// in it is caught.
pub(crate) struct Cause(String);

impl Cause {
    const MAX_CHARS: usize = 1000;

    pub(crate) fn new(error: &dyn fmt::Display) -> Cause {
        // One character more than is logged, so that `Truncated` marks the text as cut.
        let mut text = CappedWriter { text: String::new(), remaining_chars: Cause::MAX_CHARS + 1 };
        let outcome = catch_unwind(|| write!(text, "{error}"));
        if text.remaining_chars > 0 {
            match outcome {
                Ok(Ok(())) => {}
                Ok(Err(_)) => text.text.push_str(" [`Display` returned an error]"),
                Err(_) => text.text.push_str(" [`Display` panicked]"),
            }
        }
        Cause(text.text)
    }
}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Truncated { text: &self.0, max_chars: Cause::MAX_CHARS }.fmt(f)
    }
}

/// Keeps the first `remaining_chars` characters and then fails, which stops the writer.
struct CappedWriter {
    text: String,
    remaining_chars: usize,
}

impl fmt::Write for CappedWriter {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for char in text.chars() {
            self.remaining_chars = self.remaining_chars.checked_sub(1).ok_or(fmt::Error)?;
            self.text.push(char);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn truncated_text_is_escaped_and_cut_at_64_characters() {
        let long = "\u{e9}".repeat(64);
        for (text, expected) in [
            ("rooms/5/", r#""rooms/5/""#.to_owned()),
            ("a\nb\"\u{1b}[0m", r#""a\nb\"\u{1b}[0m""#.to_owned()),
            (&long, format!("{long:?}")),
            (&format!("{long}x"), format!("{long:?}..")),
        ] {
            assert_eq!(format!("{:?}", Truncated::new(text)), expected);
        }
    }

    #[test]
    fn cause_with_control_or_direction_characters_is_escaped() {
        let controls = (0..=0x20u8).map(char::from).chain('\u{7f}'..='\u{a0}');
        let directions = ['\u{61c}', '\u{200e}', '\u{200f}'].into_iter();
        let directions = directions.chain('\u{202a}'..='\u{202e}').chain('\u{2066}'..='\u{2069}');
        let invisible = ['\u{ad}', '\u{200b}', '\u{200d}', '\u{2028}', '\u{2029}', '\u{3000}', '\u{feff}', '\u{e0041}'];
        for char in controls.chain(directions).chain(invisible).filter(|char| *char != ' ') {
            let fields = [format!("{:?}", Truncated::new(&format!("a{char}b"))), format!("{:?}", Cause::new(&char))];
            assert!(fields.iter().all(|text| text.contains('\\') && !text.contains(char)), "{fields:?}");
        }
    }

    struct Broken(fn(&mut fmt::Formatter<'_>) -> fmt::Result);

    impl fmt::Display for Broken {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("begun")?;
            (self.0)(f)
        }
    }

    #[test]
    fn cause_with_a_broken_or_endless_display_is_logged() {
        let log = |rest| format!("{:?}", Cause::new(&Broken(rest)));
        assert_eq!(log(|_| Ok(())), r#""begun""#);
        assert_eq!(log(|_| panic!("no text")), r#""begun [`Display` panicked]""#);
        assert_eq!(log(|_| Err(fmt::Error)), r#""begun [`Display` returned an error]""#);
        let endless = log(|f| {
            loop {
                f.write_str("\n")?;
            }
        });
        assert_eq!(endless, format!(r#""begun{}".."#, r"\n".repeat(Cause::MAX_CHARS - 5)));
    }
}
