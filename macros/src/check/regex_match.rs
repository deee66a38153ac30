//! Matches the regex of a capture against the text of one segment, without a regex engine.

use regex_syntax::Parser;
use regex_syntax::hir::{Class, Hir, HirKind, Look, Repetition};

/// Returns whether the regex matches the whole text, or `None` if the regex uses an unsupported assertion.
pub(super) fn matches(regex: &str, text: &str) -> Option<bool> {
    let hir = Parser::new().parse(regex).ok()?;
    let ends = Matcher { text }.ends(&hir, 0)?;
    Some(ends.contains(&text.len()))
}

struct Matcher<'t> {
    text: &'t str,
}

impl Matcher<'_> {
    /// Returns the positions at which a match that begins at `start` can end.
    fn ends(&self, hir: &Hir, start: usize) -> Option<Vec<usize>> {
        let one = |end: Option<usize>| Some(end.into_iter().collect());
        match hir.kind() {
            HirKind::Empty => one(Some(start)),
            HirKind::Literal(literal) => {
                let rest = self.text.as_bytes().get(start..)?;
                one(rest.starts_with(&literal.0).then_some(start + literal.0.len()))
            }
            HirKind::Class(class) => one(self.class(class, start)),
            HirKind::Look(look) => one(self.look(*look, start)?.then_some(start)),
            HirKind::Repetition(repetition) => self.repetition(repetition, start),
            HirKind::Capture(capture) => self.ends(&capture.sub, start),
            HirKind::Concat(parts) => parts.iter().try_fold(vec![start], |starts, part| self.all(part, &starts)),
            HirKind::Alternation(parts) => {
                let ends = parts.iter().map(|part| self.ends(part, start)).collect::<Option<Vec<_>>>()?;
                Some(unique(ends.concat()))
            }
        }
    }

    fn all(&self, hir: &Hir, starts: &[usize]) -> Option<Vec<usize>> {
        let ends = starts.iter().map(|start| self.ends(hir, *start)).collect::<Option<Vec<_>>>()?;
        Some(unique(ends.concat()))
    }

    fn class(&self, class: &Class, start: usize) -> Option<usize> {
        match class {
            Class::Unicode(class) => {
                let letter = self.text.get(start..)?.chars().next()?;
                let inside = class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&letter));
                inside.then_some(start + letter.len_utf8())
            }
            Class::Bytes(class) => {
                let byte = *self.text.as_bytes().get(start)?;
                let inside = class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&byte));
                inside.then_some(start + 1)
            }
        }
    }

    fn look(&self, look: Look, at: usize) -> Option<bool> {
        match look {
            Look::Start => Some(at == 0),
            Look::End => Some(at == self.text.len()),
            // Line and word assertions are rare in a segment.
            _ => None,
        }
    }

    fn repetition(&self, repetition: &Repetition, start: usize) -> Option<Vec<usize>> {
        let mut reached = vec![start];
        let mut ends = if repetition.min == 0 { vec![start] } else { Vec::new() };
        // More rounds than bytes only repeat empty matches.
        let rounds = repetition.max.unwrap_or(u32::MAX).min(repetition.min.saturating_add(self.letters()));
        for round in 1..=rounds {
            reached = self.all(&repetition.sub, &reached)?;
            if reached.is_empty() {
                break;
            }
            if round >= repetition.min {
                ends.extend(&reached);
            }
        }
        Some(unique(ends))
    }

    fn letters(&self) -> u32 {
        u32::try_from(self.text.len()).unwrap_or(u32::MAX)
    }
}

fn unique(mut ends: Vec<usize>) -> Vec<usize> {
    ends.sort_unstable();
    ends.dedup();
    ends
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn regex_that_matches_a_part_of_the_text_does_not_match() {
        for (regex, text, expected) in [
            ("[0-9]+", "42", true),
            ("[0-9]+", "4x", false),
            ("[a-z]{2,3}", "abc", true),
            ("[a-z]{2,3}", "a", false),
            ("[a-z]{2,3}", "abcd", false),
            ("(?:new|old)s?", "news", true),
            ("(new|old)", "newer", false),
            ("^a.c$", "abc", true),
            ("a*", "", true),
            ("(a*)*b", "aaab", true),
            (r"\w+", "größe", true),
            ("(?i)new", "NEW", true),
            ("a{0}b", "b", true),
        ] {
            assert_eq!(matches(regex, text), Some(expected), "{regex} on {text}");
        }
    }

    #[test]
    fn regex_with_an_unsupported_assertion_is_undecided() {
        assert_eq!(matches(r"\bnew\b", "new"), None);
    }
}
