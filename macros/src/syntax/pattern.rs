//! Route patterns: segments separated by `/`, each of them text, `{name}`, `{name:REGEX}` or `{*rest}`.

use proc_macro2::Span;
use syn::LitStr;

/// A pattern with its segments.
#[derive(Clone)]
pub(crate) struct Pattern {
    pub(crate) literal: LitStr,
    pub(crate) text: String,
    pub(crate) segments: Vec<Segment>,
    /// Whether the pattern ends with `/`.
    pub(crate) has_trailing_slash: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    Text(String),
    Capture(String),
    Regex(String, String),
    Rest(String),
}

/// Characters that mean something in a regex and nothing in the text of a segment.
const REGEX_OPERATORS: [char; 11] = ['(', ')', '[', ']', '^', '$', '+', '*', '|', '\\', '?'];

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
    /// Returns the name of the capture, or `None` for text.
    pub(crate) fn capture(&self) -> Option<&str> {
        match self {
            Self::Text(_) => None,
            Self::Capture(name) | Self::Regex(name, _) | Self::Rest(name) => Some(name),
        }
    }
}

/// Parses a pattern.
///
/// # Errors
///
/// Returns a message for the first error in the pattern.
pub(crate) fn parse_segments(text: &str) -> Result<Vec<Segment>, String> {
    if text.is_empty() {
        return Err("the pattern is empty; write the path of the handler, such as `rooms/{room_id}/`".to_owned());
    }
    if let Some(rest) = text.strip_prefix('/') {
        return Err(format!("a route pattern is relative; write `{rest}` without the leading `/`"));
    }
    if let Some(capture) = django_capture(text) {
        return Err(format!("`(?P<…>…)` is not a capture here; write `{capture}`, which matches a whole segment"));
    }
    let mut parts = split_segments(text)?;
    if parts.last().is_some_and(|last| last.is_empty()) {
        parts.pop();
    }
    let segments = parts.iter().map(|part| parse_segment(part, text)).collect::<Result<Vec<_>, _>>()?;
    check_segments(&segments, text)?;
    Ok(segments)
}

/// Checks what involves more than one segment: repeated capture names, and segments after `{*rest}`.
fn check_segments(segments: &[Segment], text: &str) -> Result<(), String> {
    for (position, segment) in segments.iter().enumerate() {
        let Some(name) = segment.capture() else { continue };
        if segments[..position].iter().any(|previous| previous.capture() == Some(name)) {
            return Err(format!("`{name}` is captured twice in `{text}`; give one of them another name"));
        }
        if matches!(segment, Segment::Rest(_)) && (position + 1 < segments.len() || text.ends_with('/')) {
            return Err(format!("`{{*{name}}}` captures the rest of the path; remove what follows it in `{text}`"));
        }
    }
    Ok(())
}

/// Splits at each slash outside of braces. A slash in a regex stays, so that [`validate_regex`] can report it.
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
                return Err(format!("unmatched `}}` in `{text}`; write a capture as `{{name}}`"));
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
        return Err(format!("unclosed `[` in `{text}`; add the `]`"));
    }
    if braces > 0 {
        return Err(format!("unclosed `{{` in `{text}`; write a capture as `{{name}}`"));
    }
    parts.push(&text[start..]);
    Ok(parts)
}

fn parse_segment(part: &str, text: &str) -> Result<Segment, String> {
    if part.is_empty() {
        return Err(format!("`{text}` has an empty segment; write one `/` between two segments"));
    }
    let Some(content) = part.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) else {
        return parse_text(part).map(Segment::Text);
    };
    if let Some(name) = content.strip_prefix('*') {
        return parse_capture_name(name, part).map(Segment::Rest);
    }
    let Some((name, regex)) = content.split_once(':') else {
        // `{a}{b}` also begins and ends with a brace, so the prefix and the suffix do not prove that this is one capture.
        if content.contains(['{', '}']) {
            return Err(mixed_segment_error(part));
        }
        return parse_capture_name(content, part).map(Segment::Capture);
    };
    let name = parse_capture_name(name, part)?;
    check_not_a_word(&name, regex)?;
    validate_regex(regex, part)?;
    Ok(Segment::Regex(name, regex.to_owned()))
}

/// Returns the capture for the first named group of a Django pattern: `{id:[0-9]+}` for `(?P<id>[0-9]+)`. A named group in
/// the regex of a capture is valid.
fn django_capture(text: &str) -> Option<String> {
    let (before, group) = text.split_once("(?P<")?;
    if before.matches('{').count() > before.matches('}').count() {
        return None;
    }
    let (name, rest) = group.split_once('>')?;
    let mut depth = 1_usize;
    let end = rest.char_indices().find(|(_, character)| {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        depth == 0
    });
    let regex = end.map_or(rest, |(end, _)| &rest[..end]);
    Some(if matches!(regex, r"[^/]+" | r"\w+" | "") { format!("{{{name}}}") } else { format!("{{{name}:{regex}}}") })
}

fn parse_text(part: &str) -> Result<String, String> {
    if part.split('{').next().is_some_and(|before| before.contains('?')) {
        return Err(format!(
            "`{part}` contains a `?`, but patterns match paths without a query; remove the `?` and the query"
        ));
    }
    if part.contains(['{', '}']) {
        return Err(mixed_segment_error(part));
    }
    if let Some(invalid) = part.chars().find(|character| character.is_whitespace() || character.is_control()) {
        return Err(format!(
            "`{part}` contains {invalid:?}; write a segment without white space and control characters"
        ));
    }
    if let Some(bare) = part.strip_prefix('^').or(part.strip_suffix('$')).filter(|bare| !bare.contains(REGEX_OPERATORS))
    {
        return Err(format!("`{part}` has an anchor, but a segment always matches as a whole; write `{bare}`"));
    }
    if part.contains(REGEX_OPERATORS) && !part.starts_with('*') {
        return Err(format!("`{part}` looks like a regex, but text matches as it is; write `{{name:{part}}}`"));
    }
    if part.contains('#') {
        return Err(format!("`#` is not allowed in a route pattern; remove it from `{part}`"));
    }
    let bare = part.trim_matches(['<', '>', ':', '*']);
    if part.starts_with([':', '<', '*']) {
        let (name, capture) = if part.starts_with('*') { (bare, "{*rest}") } else { (bare, "{name}") };
        let name = name.rsplit(':').next().unwrap_or(name);
        let example =
            if name.is_empty() { capture.to_owned() } else { capture.replace("name", name).replace("rest", name) };
        return Err(format!("`{part}` is not a capture; write `{example}`"));
    }
    Ok(part.to_owned())
}

fn mixed_segment_error(part: &str) -> String {
    format!(
        "`{part}` mixes a capture with other text, but a capture takes a whole segment; \
         put a `/` between them, or match both with `{{name:REGEX}}`"
    )
}

fn parse_capture_name(name: &str, part: &str) -> Result<String, String> {
    let mut characters = name.chars();
    let is_first_valid = characters.next().is_some_and(|character| character.is_ascii_alphabetic() || character == '_');
    if is_first_valid
        && name != "_"
        && characters.all(|character| character.is_ascii_alphanumeric() || character == '_')
    {
        return Ok(name.to_owned());
    }
    if name.is_empty() || name == "_" {
        return Err(format!("the capture `{part}` has no name; write, for example, `{{room_id}}`"));
    }
    Err(format!(
        "`{name}` in `{part}` is not a valid name; use ASCII letters, digits and `_`, and do not begin with a digit"
    ))
}

/// Refuses a regex that is a single word, which matches that word only: it was meant as a type.
fn check_not_a_word(name: &str, regex: &str) -> Result<(), String> {
    let is_word = regex.chars().all(|character| character.is_ascii_alphanumeric() || character == '_');
    if !is_word || regex.is_empty() || regex.starts_with(|character: char| character.is_ascii_digit()) {
        return Ok(());
    }
    let correct = match regex {
        "path" => format!("write `{{*{name}}}` for the rest of the route"),
        "int" | "number" => {
            format!("write `{{{name}:[0-9]+}}`, or `{{{name}}}` and `#[path] {name}: u64` in the action")
        }
        "str" | "string" | "slug" => format!("write `{{{name}}}` and `#[path] {name}: String` in the action"),
        "uuid" => format!("write `{{{name}}}` and `#[path] {name}: Uuid` in the action"),
        _ if is_type_name(regex) => format!("write `{{{name}}}` and `#[path] {name}: {regex}` in the action"),
        _ => format!("write `{regex}` without braces, or another regex"),
    };
    Err(format!("`{{{name}:{regex}}}` matches only the text `{regex}`, because a regex follows the `:`; {correct}"))
}

fn is_type_name(word: &str) -> bool {
    let is_number = word.strip_prefix(['u', 'i', 'f']).is_some_and(|bits| bits == "size" || bits.parse::<u8>().is_ok());
    is_number || matches!(word, "bool" | "char") || word.starts_with(|character: char| character.is_ascii_uppercase())
}

fn validate_regex(regex: &str, part: &str) -> Result<(), String> {
    if regex.is_empty() {
        return Err(format!("the regex of `{part}` is empty; remove the `:`, or write a regex after it"));
    }
    if regex.contains('/') {
        return Err(format!(
            "the regex of `{part}` contains a `/`, but a capture matches one segment; write `{{*rest}}` to match more"
        ));
    }
    parse_regex(regex).map_err(|reason| format!("the regex `{regex}` of `{part}` is invalid: {reason}"))?;
    // The runtime compiles the regex with these anchors. A trailing comment would hide the closing one.
    parse_regex(&format!("^(?:{regex})$")).map_err(|_| {
        format!(
            "the regex `{regex}` of `{part}` ends with a comment, which hides the anchor at its end; remove the comment"
        )
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

    fn parse_error(text: &str) -> String {
        parse_segments(text).unwrap_err()
    }

    #[test]
    fn parse_segments_with_each_kind_returns_all() {
        let segments = parse_segments("rooms/{room_id}/pages/{page:[0-9]{1,3}}/{*rest}").unwrap();
        let expected = [
            Segment::Text("rooms".into()),
            Segment::Capture("room_id".into()),
            Segment::Text("pages".into()),
            Segment::Regex("page".into(), "[0-9]{1,3}".into()),
            Segment::Rest("rest".into()),
        ];
        assert_eq!(segments, expected);
    }

    #[test]
    fn parse_segments_with_a_trailing_slash_adds_no_segment() {
        assert_eq!(parse_segments("rooms/").unwrap(), parse_segments("rooms").unwrap());
    }

    #[test]
    fn parse_segments_with_braces_in_a_regex_keeps_the_regex_whole() {
        let regex = |text: &str| match parse_segments(text).unwrap().remove(0) {
            Segment::Regex(_, regex) => regex,
            other => panic!("{other:?}"),
        };
        assert_eq!(regex("{a:[}]+}"), "[}]+");
        assert_eq!(regex(r"{a:\}x}/b"), r"\}x");
        assert_eq!(regex("{a:x:y}"), "x:y");
        assert_eq!(regex("{a:0}"), "0");
        assert_eq!(regex("{day:(?P<year>[0-9]{4})-[0-9]{2}}"), "(?P<year>[0-9]{4})-[0-9]{2}");
    }

    #[test]
    fn parse_segments_of_a_malformed_pattern_names_the_error() {
        for (text, expected) in [
            ("", "is empty"),
            ("/rooms", "without the leading `/`"),
            ("rooms//x", "empty segment"),
            ("rooms/{id", "unclosed `{`"),
            ("rooms/id}", "unmatched `}`"),
            ("room-{id}", "takes a whole segment"),
            ("{a}{b}", "takes a whole segment"),
            ("{*rest}/x", "rest of the path"),
            ("{*rest}/", "rest of the path"),
            ("{a}/{a}", "captured twice"),
            ("{}", "has no name"),
            ("{_}", "has no name"),
            ("{1a}", "is not a valid name"),
            ("{a b}", "is not a valid name"),
            ("rooms?page=1", "without a query"),
            ("my rooms", "white space"),
            (":id", "write `{id}`"),
            ("<int:id>", "write `{id}`"),
            ("*", "write `{*rest}`"),
            ("{id:[0-9}", "add the `]`"),
            ("rooms?id={id}", "without a query"),
            ("{id:(}", "unclosed group"),
            ("{id:(?x)[0-9]+ # digits}", "remove the comment"),
            ("{id:a/b}", "contains a `/`"),
            ("{id:}", "is empty"),
            ("{id:u32}", "write `{id}` and `#[path] id: u32` in the action"),
            ("{id:MessageId}", "`#[path] id: MessageId`"),
            ("{id:int}", "write `{id:[0-9]+}`"),
            ("{id:uuid}", "`#[path] id: Uuid`"),
            ("{name:str}", "`#[path] name: String`"),
            ("{rest:path}", "write `{*rest}`"),
            ("{kind:new}", "write `new` without braces"),
            ("a/[0-9]+/", "write `{name:[0-9]+}`"),
            ("a/(x|y)/", "write `{name:(x|y)}`"),
            ("a/b*/", "write `{name:b*}`"),
            (r"\d/", r"write `{name:\d}`"),
            ("^b/", "write `b`"),
            ("a/b$", "write `b`"),
            ("(?P<id>[0-9]+)/", "write `{id:[0-9]+}`"),
            ("a/(?P<id>(x|y){1,3})/b/", "write `{id:(x|y){1,3}}`"),
            (r"(?P<slug>\w+)/", "write `{slug}`"),
        ] {
            let error = parse_error(text);
            assert!(error.contains(expected), "{text}: {error}");
            assert!(!error.contains('\n') && !error.ends_with('.'), "{error}");
        }
    }
}
