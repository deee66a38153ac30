//! The key `history` of a group: how many events are kept, how long, and since when a user may see them.

use std::time::Duration;

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Expr, ExprLit, ExprPath, Lit, LitInt, LitStr, Result, Token, parenthesized, token};

use super::Partial;
use super::key_value::{self, ErrorList, KeySet, error_at};
use super::time_limit::{self, AGE};
use super::token_string::print;

/// The value of `history`. A part that is missing or could not be read has the smallest value, so that what uses the history
/// is no error as well.
pub(crate) struct History {
    /// The key itself, for errors to underline.
    pub(crate) key: Ident,
    pub(crate) max_events: u32,
    pub(crate) max_age: Duration,
    pub(crate) since: Since,
}

/// Since when a user may see events of the history.
pub(crate) enum Since {
    /// The word `AllowAny`: all that are kept.
    AllowAny,
    /// Since the time that the function returns.
    Function(ExprPath),
}

/// The largest number of events. Each group of the type may keep so many.
const MAX_EVENTS: u32 = 10_000;

const EXAMPLE: &str = "write, for example, `history(events = 100, age = \"10m\", since = AllowAny)`";

const SINCE: &str = "write `since = AllowAny` if every user who may join may see all events that are kept, or the path of an \
                     async function that returns the time from which the user may see events, as in `since = Room::member_since`";

const KEYS: KeySet = KeySet {
    owner: "history",
    known: &["events", "age", "since"],
    hints: &[
        ("max_events", "unknown key `max_events`; write `events`"),
        ("size", "unknown key `size`; write `events`"),
        ("count", "unknown key `count`; write `events`"),
        ("event", "unknown key `event`; write `events`"),
        ("ttl", "unknown key `ttl`; write `age`"),
        ("max_age", "unknown key `max_age`; write `age`"),
    ],
};

/// The keys, each with the message if it is missing.
const MISSING: [(&str, &str); 3] = [
    ("events", "write how many events of each group are kept, as in `events = 100`"),
    ("age", "write how long an event is kept, as in `age = \"10m\"`"),
    ("since", SINCE),
];

impl History {
    /// Parses `(events = 100, age = "10m", since = AllowAny)`.
    pub(super) fn read(key: &Ident, input: ParseStream<'_>) -> Partial<Self> {
        let mut history =
            Self { key: key.clone(), max_events: 1, max_age: Duration::from_secs(1), since: Since::AllowAny };
        let error = history.parse_list(input).err();
        (history, error)
    }

    fn parse_list(&mut self, input: ParseStream<'_>) -> Result<()> {
        if !input.peek(token::Paren) {
            return Err(error_at(&self.key, format_args!("`history` takes its keys in parentheses; {EXAMPLE}")));
        }
        let content;
        parenthesized!(content in input);
        if content.is_empty() {
            return Err(error_at(&self.key, format_args!("`history` is empty; {EXAMPLE}")));
        }
        let mut written = Vec::new();
        let error = key_value::parse_keys(&content, &KEYS, &mut |key, input| {
            written.push(key.to_string());
            self.key(key, input)
        });
        // A key that is misspelled or half-written is not reported as missing too.
        let mut errors = ErrorList(error);
        if errors.0.is_none() {
            for (name, message) in MISSING.iter().filter(|(name, _)| !written.iter().any(|key| key == name)) {
                errors.add(error_at(&self.key, format_args!("`history` has no `{name}`; {message}")));
            }
        }
        errors.0.map_or(Ok(()), Err)
    }

    fn key(&mut self, key: &Ident, input: ParseStream<'_>) -> Result<()> {
        match key.to_string().as_str() {
            "events" => self.max_events = parse_events(key, input)?,
            "age" => self.max_age = time_limit::parse(key, input, &AGE)?,
            _ => self.since = parse_since(key, input)?,
        }
        Ok(())
    }
}

/// Parses `= 100`.
fn parse_events(key: &Ident, input: ParseStream<'_>) -> Result<u32> {
    key_value::parse_equals(key, input, "100")?;
    let value = take_value(input)?;
    let message = match syn::parse2::<LitInt>(value.clone()) {
        Ok(literal) => match literal.base10_parse::<u32>() {
            _ if literal.base10_digits().starts_with('-') => {
                format!("`{literal}` is negative; write `events = {}`", suggested_events(&literal.base10_digits()[1..]))
            }
            _ if !literal.suffix().is_empty() => {
                let suggested = suggested_events(literal.base10_digits());
                format!("`{literal}` has a suffix; write `events = {suggested}`")
            }
            Ok(0) => {
                "a history of zero events keeps nothing; write `events = 1` or more, or remove `history`".to_owned()
            }
            Ok(count) if count <= MAX_EVENTS => return Ok(count),
            _ => format!(
                "`{literal}` is more than {MAX_EVENTS}, the largest number of events in a history; write \
                 `events = {MAX_EVENTS}` or less"
            ),
        },
        Err(_) => {
            if let Ok(text) = syn::parse2::<LitStr>(value.clone()) {
                let suggested = suggested_events(&text.value());
                format!("the value of `events` is a number; write `events = {suggested}`")
            } else {
                let printed = print(value.clone());
                format!("`{printed}` is not a whole number; write it in digits, as in `events = 100`")
            }
        }
    };
    Err(error_at(value, message))
}

/// Returns the number if it is a valid one, or an example.
fn suggested_events(digits: &str) -> u32 {
    digits.parse().ok().filter(|count| (1..=MAX_EVENTS).contains(count)).unwrap_or(100)
}

/// Takes the tokens before the next comma, or before the next key if the comma is missing.
fn take_value(input: ParseStream<'_>) -> Result<TokenStream> {
    let mut value = TokenStream::new();
    let is_key = |input: ParseStream<'_>| input.peek(Ident::peek_any) && input.peek2(Token![=]);
    while !(input.is_empty() || input.peek(Token![,]) || (!value.is_empty() && is_key(input))) {
        value.extend([input.parse::<TokenTree>()?]);
    }
    Ok(value)
}

/// Parses `= AllowAny`, or `=` and the path of a function.
fn parse_since(key: &Ident, input: ParseStream<'_>) -> Result<Since> {
    key_value::parse_equals(key, input, "AllowAny")?;
    let value: Expr = input.parse().map_err(|error| {
        syn::Error::new(error.span(), format_args!("expected `AllowAny` or the path of a function; {SINCE}"))
    })?;
    read_since(&value).map_err(|message| error_at(&value, message))
}

/// Returns what an expression stands for. The error is the message.
fn read_since(value: &Expr) -> std::result::Result<Since, String> {
    let printed = print(value.to_token_stream());
    match value {
        Expr::Group(group) => read_since(&group.expr),
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) if text.value().trim() == "AllowAny" => Ok(Since::AllowAny),
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Err(match text.parse::<ExprPath>() {
            Ok(path) => {
                format!("the value of `since` is not a string; write `since = {}`", print(path.to_token_stream()))
            }
            Err(_) => format!("the value of `since` is not a string; {SINCE}"),
        }),
        Expr::Path(path) => read_path(path),
        Expr::Call(call) => {
            let function = print(call.func.to_token_stream());
            Err(format!("`{printed}` is a call; write only the path of the function: `since = {function}`"))
        }
        Expr::Closure(_) => Err(format!("`since` takes no closure; {SINCE}")),
        _ => Err(format!("`{printed}` is not the path of a function; {SINCE}")),
    }
}

fn read_path(path: &ExprPath) -> std::result::Result<Since, String> {
    let last = path.path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default();
    let printed = print(path.to_token_stream());
    match last.as_str() {
        _ if path.path.is_ident("AllowAny") => Ok(Since::AllowAny),
        "AllowAny" => Err(format!("`since` takes the word `AllowAny`, and not `{printed}`; write `since = AllowAny`")),
        "members" => Err(format!("`members` is only valid in `publish = members`; {SINCE}")),
        "DenyAll" => {
            Err("with `DenyAll` no user could see an event that is kept; remove `history`, or write the path of \
                          an async function, as in `since = Room::member_since`"
                .to_owned())
        }
        name if name.starts_with(char::is_uppercase) => {
            Err(format!("`{printed}` is not a function, and `since` evaluates no permission; {SINCE}"))
        }
        _ => Ok(Since::Function(path.clone())),
    }
}

#[cfg(test)]
mod tests;
