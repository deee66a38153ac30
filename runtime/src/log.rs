//! How the log quotes others.

use std::fmt;

/// What somebody else may have written, in the log: escaped, and not too much of it.
pub(crate) struct Cut<'a> {
    text: &'a str,
    most: usize,
}

impl<'a> Cut<'a> {
    /// A name or a route of a client's.
    pub(crate) fn words(text: &'a str) -> Cut<'a> {
        Cut { text, most: 64 }
    }

    /// The cause of a fault, which may quote a client.
    pub(crate) fn cause(text: &'a str) -> Cut<'a> {
        Cut { text, most: 1000 }
    }
}

impl fmt::Debug for Cut<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.text.char_indices().nth(self.most) {
            Some((end, _)) => write!(f, "{:?}..", &self.text[..end]),
            None => write!(f, "{:?}", self.text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_keeps_little_of_a_client_s_words_and_escapes_it() {
        let long = "\u{e9}".repeat(64);
        for (words, wanted) in [
            ("rooms/5/", r#""rooms/5/""#.to_owned()),
            ("a\nb\"\u{1b}[0m", r#""a\nb\"\u{1b}[0m""#.to_owned()),
            (&long, format!("{long:?}")),
            (&format!("{long}x"), format!("{long:?}..")),
        ] {
            assert_eq!(format!("{:?}", Cut::words(words)), wanted);
        }
    }
}
