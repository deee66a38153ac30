//! The value of the key `history` of a group: how much of its events is kept, and since when a user may see them.

use std::time::Duration;

use proc_macro2::{Ident, Span};
use syn::parse::{ParseStream, Parser};
use syn::{LitInt, LitStr, Path, Result, Token, parenthesized, token};

use super::key_value::{self, ErrorList, KeySet, error_at};

/// What to write.
const EXAMPLE: &str = "`history(events = 100, age = \"10m\", since = AllowAny)`";

/// The largest number of events of one group that is kept.
const MAX_EVENTS: u32 = 10_000;

/// The units of an age, each with its length in seconds.
const UNITS: [(&str, u64); 3] = [("s", 1), ("m", 60), ("h", 60 * 60)];

/// The largest age, in seconds: a day.
const MAX_SECONDS: u64 = 24 * 60 * 60;

/// The words of permissions that do not tell since when.
const NOT_SINCE: [&str; 4] = ["DenyAll", "IsAuthenticated", "inherited", "members"];

const KEYS: KeySet = KeySet {
    attribute: "group(history(…))",
    known: &["events", "age", "since"],
    hints: &[
        ("max_events", "unknown key `max_events`; write `events = 100`"),
        ("size", "unknown key `size`; write `events = 100`"),
        ("count", "unknown key `count`; write `events = 100`"),
        ("ttl", "unknown key `ttl`; write `age = \"10m\"`"),
        ("max_age", "unknown key `max_age`; write `age = \"10m\"`"),
    ],
};

/// The history of a group.
pub(crate) struct HistorySyntax {
    /// The key itself, for errors to underline.
    pub(crate) key: Ident,
    pub(crate) max_events: u32,
    pub(crate) max_age: Duration,
    /// The function that returns since when a user may see events. `None` for `AllowAny`: all that are kept.
    pub(crate) since: Option<Path>,
}

/// The keys that could be parsed.
#[derive(Default)]
struct HistoryArgs {
    max_events: Option<u32>,
    max_age: Option<Duration>,
    since: Option<Option<Path>>,
}

/// Parses `(events = 100, age = "10m", since = AllowAny)`.
pub(super) fn parse(key: &Ident, input: ParseStream<'_>) -> Result<HistorySyntax> {
    if !input.peek(token::Paren) {
        return Err(error_at(key, format_args!("`history` takes its keys in parentheses; write {EXAMPLE}")));
    }
    let content;
    let parentheses = parenthesized!(content in input);
    let (mut arguments, mut errors) = (HistoryArgs::default(), ErrorList(None));
    let tokens = content.parse()?;
    let all = |input: ParseStream<'_>| {
        if input.is_empty() {
            return Err(error_at(key, format_args!("`history` is empty; write {EXAMPLE}")));
        }
        Ok(key_value::parse_keys(input, &KEYS, &mut |key, input| arguments.key(key, input)))
    };
    let parsed = all.parse2(tokens);
    let has_errors = !matches!(parsed, Ok(None));
    match parsed {
        Ok(error) => error.into_iter().for_each(|error| errors.add(error)),
        Err(error) => errors.add(at_close(error, parentheses.span.close())),
    }
    let HistoryArgs { max_events, max_age, since } = arguments;
    // A key that is missing may be one that could not be parsed.
    let missing =
        [(max_events.is_none(), "events = 100"), (max_age.is_none(), "age = \"10m\""), (since.is_none(), "since = …")];
    for (_, example) in missing.iter().filter(|(is_missing, _)| *is_missing && !has_errors) {
        let name = example.split(' ').next().unwrap_or_default();
        let more = if name == "since" {
            ", with `AllowAny` if whoever may join may see all that is kept, or with the path of a function that returns \
             when the user was let in"
        } else {
            ""
        };
        errors.add(error_at(key, format_args!("`history` has no `{name}`; write `{example}`{more}")));
    }
    match (errors.0, max_events, max_age, since) {
        (None, Some(max_events), Some(max_age), Some(since)) => {
            Ok(HistorySyntax { key: key.clone(), max_events, max_age, since })
        }
        (Some(error), ..) => Err(error),
        (None, ..) => Err(error_at(key, format_args!("`history` is incomplete; write {EXAMPLE}"))),
    }
}

/// Moves an error about the end of the input, which has no span, to the closing parenthesis.
fn at_close(error: syn::Error, close: Span) -> syn::Error {
    let text = error.to_string();
    if text.contains("unexpected end of input") { syn::Error::new(close, text) } else { error }
}

impl HistoryArgs {
    fn key(&mut self, key: &Ident, input: ParseStream<'_>) -> Result<()> {
        match key.to_string().as_str() {
            "events" => {
                key_value::parse_equals(key, input, "100")?;
                self.max_events = Some(parse_max_events(input)?);
            }
            "age" => self.max_age = Some(parse_max_age(key, input)?),
            _ => {
                key_value::parse_equals(key, input, "AllowAny")?;
                self.since = Some(parse_since(input)?);
            }
        }
        Ok(())
    }
}

fn parse_max_events(input: ParseStream<'_>) -> Result<u32> {
    let message = format!("`events` is a whole number from 1 to {MAX_EVENTS}; write, for example, `events = 100`");
    if !input.peek(LitInt) {
        return Err(input.error(message));
    }
    let literal: LitInt = input.parse()?;
    let number = literal.base10_parse().ok().filter(|number| (1..=MAX_EVENTS).contains(number));
    match number {
        Some(number) if literal.suffix().is_empty() => Ok(number),
        _ => Err(error_at(literal, message)),
    }
}

fn parse_max_age(key: &Ident, input: ParseStream<'_>) -> Result<Duration> {
    let literal = key_value::parse_string(key, input, "\"10m\"")?;
    let text = literal.value();
    let number_end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(number_end);
    let factor = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor);
    let seconds = factor.and_then(|factor| number.parse::<u64>().ok()?.checked_mul(factor));
    match seconds.filter(|seconds| (1..=MAX_SECONDS).contains(seconds)) {
        Some(seconds) => Ok(Duration::from_secs(seconds)),
        None => Err(error_at(
            literal,
            format_args!(
                "`{text}` is not an age; write a whole number and a unit, `s`, `m` or `h`, from a second to a day, as in \
                 `age = \"10m\"`"
            ),
        )),
    }
}

/// Parses `AllowAny`, or the path of a function.
fn parse_since(input: ParseStream<'_>) -> Result<Option<Path>> {
    const WHAT: &str = "write `since = AllowAny` if whoever may join may see all that is kept, or the path of a function that \
                        returns when the user was let in, such as `since = Room::member_since`";
    if input.peek(LitStr) {
        return Err(input.error(format_args!("`since` takes no string; {WHAT}")));
    }
    let at = input.span();
    let path: Path = input.parse().map_err(|_| syn::Error::new(at, format_args!("expected a function; {WHAT}")))?;
    if !input.is_empty() && !input.peek(Token![,]) {
        return Err(input.error(format_args!("`since` takes a path alone; {WHAT}")));
    }
    let name = path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default();
    if NOT_SINCE.contains(&name.as_str()) {
        return Err(error_at(&path, format_args!("`{name}` does not tell since when; {WHAT}")));
    }
    Ok(if name == "AllowAny" { None } else { Some(path) })
}
