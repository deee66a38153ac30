//! Route patterns: text, `{name}`, `{name:REGEX}` and `{*rest}`, split by `/`.

use proc_macro2::Span;
use syn::LitStr;

/// A pattern as written and as split.
#[derive(Clone)]
pub(crate) struct Pattern {
    pub(crate) literal: LitStr,
    pub(crate) text: String,
    pub(crate) segments: Vec<Segment>,
    /// Does it end with a slash?
    pub(crate) has_trailing_slash: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    Text(String),
    Capture(String),
    Regex(String, String),
    Rest(String),
}

impl Pattern {
    pub(crate) fn read(literal: LitStr) -> syn::Result<Self> {
        let text = literal.value();
        match parse_segments(&text) {
            Ok(segments) => Ok(Self { has_trailing_slash: text.ends_with('/'), segments, text, literal }),
            Err(reason) => Err(syn::Error::new(literal.span(), reason)),
        }
    }

    pub(crate) fn span(&self) -> Span {
        self.literal.span()
    }
}

impl Segment {
    /// The name it gives to what it takes.
    pub(crate) fn capture(&self) -> Option<&str> {
        match self {
            Self::Text(_) => None,
            Self::Capture(name) | Self::Regex(name, _) | Self::Rest(name) => Some(name),
        }
    }
}

/// Splits and reads the whole pattern; the first thing that is wrong is the error.
pub(crate) fn parse_segments(text: &str) -> Result<Vec<Segment>, String> {
    if text.is_empty() {
        return Err("the pattern is empty; write where the handler is found, such as `rooms/{room_id}/`".to_owned());
    }
    if let Some(rest) = text.strip_prefix('/') {
        return Err(format!("a route is relative; write `{rest}` without the leading `/`"));
    }
    let mut parts = split_segments(text)?;
    if parts.last().is_some_and(|last| last.is_empty()) {
        parts.pop();
    }
    let segments = parts.iter().map(|part| parse_segment(part, text)).collect::<Result<Vec<_>, _>>()?;
    check_segments(&segments, text)?;
    Ok(segments)
}

/// What only the segments together can get wrong.
fn check_segments(segments: &[Segment], text: &str) -> Result<(), String> {
    for (position, segment) in segments.iter().enumerate() {
        let Some(name) = segment.capture() else { continue };
        if segments[..position].iter().any(|earlier| earlier.capture() == Some(name)) {
            return Err(format!("`{name}` is captured twice in `{text}`; give one of them another name"));
        }
        if matches!(segment, Segment::Rest(_)) && (position + 1 < segments.len() || text.ends_with('/')) {
            return Err(format!("`{{*{name}}}` takes the whole tail; nothing may follow it in `{text}`"));
        }
    }
    Ok(())
}

/// Splits at the slashes outside braces, so that a slash in a regex gets a message of its own.
fn split_segments(text: &str) -> Result<Vec<&str>, String> {
    let mut parts = Vec::new();
    let (mut start, mut braces, mut class) = (0, 0_usize, false);
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' if braces > 0 => drop(characters.next()),
            '[' if braces > 0 => class = true,
            ']' => class = false,
            '{' if !class => braces += 1,
            '}' if !class && braces == 0 => {
                return Err(format!("`}}` in `{text}` closes nothing; a capture is written `{{name}}`"));
            }
            '}' if !class => braces -= 1,
            '/' if braces == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    if class {
        return Err(format!("a `[` in `{text}` is never closed, and so neither is its `{{`; add the `]`"));
    }
    if braces > 0 {
        return Err(format!("a `{{` in `{text}` is never closed; a capture is written `{{name}}`"));
    }
    parts.push(&text[start..]);
    Ok(parts)
}

fn parse_segment(part: &str, text: &str) -> Result<Segment, String> {
    if part.is_empty() {
        return Err(format!("`{text}` has an empty segment; write one `/` between two segments"));
    }
    let Some(inside) = part.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) else {
        return parse_text(part).map(Segment::Text);
    };
    if let Some(name) = inside.strip_prefix('*') {
        return parse_capture_name(name, part).map(Segment::Rest);
    }
    let Some((name, regex)) = inside.split_once(':') else {
        // `{a}{b}` also begins and ends with a brace.
        if inside.contains(['{', '}']) {
            return Err(mixed_segment_error(part));
        }
        return parse_capture_name(inside, part).map(Segment::Capture);
    };
    let name = parse_capture_name(name, part)?;
    validate_regex(regex, part)?;
    Ok(Segment::Regex(name, regex.to_owned()))
}

fn parse_text(part: &str) -> Result<String, String> {
    if part.split('{').next().is_some_and(|before| before.contains('?')) {
        return Err(format!("`?` begins a query, which is cut off before matching; remove it from `{part}`"));
    }
    if part.contains(['{', '}']) {
        return Err(mixed_segment_error(part));
    }
    if let Some(invalid) = part.chars().find(|character| character.is_whitespace() || character.is_control()) {
        return Err(format!("`{part}` holds {invalid:?}; a segment is text without white space"));
    }
    if part.contains('#') {
        return Err(format!("`#` cannot stand in a route; remove it from `{part}`"));
    }
    let bare = part.trim_matches(['<', '>', ':', '*']);
    if part.starts_with([':', '<', '*']) {
        let (name, capture) = if part.starts_with('*') { (bare, "{*rest}") } else { (bare, "{name}") };
        let name = name.rsplit(':').next().unwrap_or(name);
        let written =
            if name.is_empty() { capture.to_owned() } else { capture.replace("name", name).replace("rest", name) };
        return Err(format!("`{part}` is no capture; write `{written}`"));
    }
    Ok(part.to_owned())
}

fn mixed_segment_error(part: &str) -> String {
    format!(
        "`{part}` mixes a capture with something else; a capture takes a whole segment, so put a `/` between them, or match both by `{{name:REGEX}}`"
    )
}

fn parse_capture_name(name: &str, part: &str) -> Result<String, String> {
    let mut characters = name.chars();
    let first = characters.next().is_some_and(|character| character.is_ascii_alphabetic() || character == '_');
    if first && name != "_" && characters.all(|character| character.is_ascii_alphanumeric() || character == '_') {
        return Ok(name.to_owned());
    }
    if name.is_empty() || name == "_" {
        return Err(format!("the capture `{part}` has no name; write `{{room_id}}`, say"));
    }
    Err(format!("`{name}` in `{part}` is no name; use letters, digits and `_`, and no digit first"))
}

fn validate_regex(regex: &str, part: &str) -> Result<(), String> {
    if regex.is_empty() {
        return Err(format!(
            "the regex of `{part}` is empty; remove the `:`, or write what the segment must look like"
        ));
    }
    if regex.contains('/') {
        return Err(format!(
            "the regex of `{part}` holds a `/`, but a capture is one segment; use `{{*rest}}` for more"
        ));
    }
    parse_regex(regex).map_err(|reason| format!("the regex `{regex}` of `{part}` is invalid: {reason}"))?;
    // As the runtime compiles it: a comment at the end would swallow what makes it match the whole segment.
    parse_regex(&format!("^(?:{regex})$")).map_err(|_| {
        format!("the regex `{regex}` of `{part}` cannot match a whole segment; remove the comment from it")
    })
}

fn parse_regex(regex: &str) -> Result<(), String> {
    match regex_syntax::Parser::new().parse(regex) {
        Ok(_) => Ok(()),
        Err(regex_syntax::Error::Parse(error)) => Err(error.kind().to_string()),
        Err(regex_syntax::Error::Translate(error)) => Err(error.kind().to_string()),
        Err(other) => Err(other.to_string().lines().last().unwrap_or_default().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Segment, parse_segments};

    fn refused(text: &str) -> String {
        parse_segments(text).unwrap_err()
    }

    #[test]
    fn reads_every_kind_of_segment() {
        let read = parse_segments("rooms/{room_id}/pages/{page:[0-9]{1,3}}/{*rest}").unwrap();
        let expected = [
            Segment::Text("rooms".into()),
            Segment::Capture("room_id".into()),
            Segment::Text("pages".into()),
            Segment::Regex("page".into(), "[0-9]{1,3}".into()),
            Segment::Rest("rest".into()),
        ];
        assert_eq!(read, expected);
    }

    #[test]
    fn a_trailing_slash_adds_no_segment() {
        assert_eq!(parse_segments("rooms/").unwrap(), parse_segments("rooms").unwrap());
    }

    #[test]
    fn braces_in_classes_and_escapes_belong_to_the_regex() {
        let regex = |text: &str| match parse_segments(text).unwrap().remove(0) {
            Segment::Regex(_, regex) => regex,
            other => panic!("{other:?}"),
        };
        assert_eq!(regex("{a:[}]+}"), "[}]+");
        assert_eq!(regex(r"{a:\}x}/b"), r"\}x");
        assert_eq!(regex("{a:x:y}"), "x:y");
    }

    #[test]
    fn each_mistake_has_its_words() {
        for (text, words) in [
            ("", "is empty"),
            ("/rooms", "without the leading `/`"),
            ("rooms//x", "empty segment"),
            ("rooms/{id", "never closed"),
            ("rooms/id}", "closes nothing"),
            ("room-{id}", "takes a whole segment"),
            ("{a}{b}", "takes a whole segment"),
            ("{*rest}/x", "whole tail"),
            ("{*rest}/", "whole tail"),
            ("{a}/{a}", "captured twice"),
            ("{}", "has no name"),
            ("{_}", "has no name"),
            ("{1a}", "is no name"),
            ("{a b}", "is no name"),
            ("rooms?page=1", "begins a query"),
            ("my rooms", "white space"),
            (":id", "write `{id}`"),
            ("<int:id>", "write `{id}`"),
            ("*", "write `{*rest}`"),
            ("{id:[0-9}", "add the `]`"),
            ("rooms?id={id}", "begins a query"),
            ("{id:(}", "unclosed group"),
            ("{id:(?x)[0-9]+ # digits}", "remove the comment"),
            ("{id:a/b}", "holds a `/`"),
            ("{id:}", "is empty"),
        ] {
            let told = refused(text);
            assert!(told.contains(words), "{text}: {told}");
            assert!(!told.contains('\n') && !told.ends_with('.'), "{told}");
        }
    }
}
