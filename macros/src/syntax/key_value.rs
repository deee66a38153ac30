//! Attribute arguments: `key` and `key = value`, separated by commas. Parsing continues with the next key after an error.

use std::fmt::Display;

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{LitStr, Result, Token};

use super::token_string::print;

/// The keys that an attribute, or a key with a list, accepts.
pub(crate) struct KeySet {
    /// The attribute or the key, as messages name it: `#[group]`, `history`.
    pub(crate) owner: &'static str,
    pub(crate) known: &'static [&'static str],
    /// Messages for keys that are not accepted but that a user may expect.
    pub(crate) hints: &'static [(&'static str, &'static str)],
}

/// Parses all keys up to the end of `input`. `parse_value` is called after each key that is known and not repeated, to parse
/// the rest of it.
pub(crate) fn parse_keys(
    input: ParseStream<'_>,
    keys: &KeySet,
    parse_value: &mut dyn FnMut(&Ident, ParseStream<'_>) -> Result<()>,
) -> Option<syn::Error> {
    let mut errors = ErrorList(None);
    let mut seen_keys: Vec<Ident> = Vec::new();
    while !input.is_empty() {
        if let Err(error) = parse_key(input, keys, &mut seen_keys, parse_value) {
            errors.add(error);
            skip_to_comma(input);
        }
        if input.is_empty() {
            break;
        }
        if !input.peek(Token![,]) {
            errors.add(input.error("expected a `,` before this, to separate two keys"));
            if input.peek(Ident::peek_any) {
                continue;
            }
            skip_to_comma(input);
        }
        errors.record(input.parse::<Option<Token![,]>>());
    }
    errors.0
}

fn parse_key(
    input: ParseStream<'_>,
    keys: &KeySet,
    seen_keys: &mut Vec<Ident>,
    parse_value: &mut dyn FnMut(&Ident, ParseStream<'_>) -> Result<()>,
) -> Result<()> {
    if let Some(error) = bare_permission_error(input, keys) {
        return Err(error);
    }
    if !input.peek(Ident::peek_any) {
        return Err(input.error(format_args!("expected a key; {}", keys.list())));
    }
    let key = input.call(Ident::parse_any)?;
    if let Some((_, hint)) = keys.hints.iter().find(|(name, _)| key == name) {
        return Err(error_at(&key, hint));
    }
    if !keys.known.iter().any(|name| key == name) {
        return Err(error_at(&key, format_args!("unknown key `{key}`; {}", keys.list())));
    }
    if seen_keys.contains(&key) {
        return Err(error_at(&key, format_args!("`{key}` is given twice; remove one of them")));
    }
    seen_keys.push(key.clone());
    parse_value(&key, input)
}

/// Returns an error if a permission is written without its key.
fn bare_permission_error(input: ParseStream<'_>, keys: &KeySet) -> Option<syn::Error> {
    let is_permission = keys.known.contains(&"permission") && is_bare_permission(input.cursor().token_stream());
    is_permission.then(|| {
        let value: TokenStream =
            input.cursor().token_stream().into_iter().take_while(|token| !is_punct(token, ',')).collect();
        let attribute = keys.owner.trim_end_matches(']');
        let message =
            format!("a permission needs its key; write `{attribute}(permission = {})]`", print(value.clone()));
        error_at(value, message)
    })
}

/// Returns whether the tokens begin with a string, or with a type that is no key with a value.
fn is_bare_permission(tokens: TokenStream) -> bool {
    let mut tokens = tokens.into_iter();
    match tokens.next() {
        Some(TokenTree::Literal(literal)) => literal.to_string().starts_with('"'),
        Some(TokenTree::Ident(name)) => {
            let is_type = name.to_string().starts_with(char::is_uppercase);
            is_type && !tokens.next().is_some_and(|next| is_punct(&next, '='))
        }
        _ => false,
    }
}

fn is_punct(token: &TokenTree, character: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == character)
}

impl KeySet {
    fn list(&self) -> String {
        let known: Vec<_> = self.known.iter().map(|name| format!("`{name}`")).collect();
        format!("`{}` takes {}", self.owner, known.join(", "))
    }
}

/// Parses the `=` between a key and its value, and checks that a value follows. `example` is a value for the message.
pub(crate) fn parse_equals(key: &Ident, input: ParseStream<'_>, example: &str) -> Result<()> {
    if !input.peek(Token![=]) {
        return Err(error_at(key, format_args!("`{key}` needs a value; write `{key} = {example}`")));
    }
    let equals: Token![=] = input.parse()?;
    if input.is_empty() || input.peek(Token![,]) {
        return Err(error_at(equals, format_args!("`{key}` needs a value; write `{key} = {example}`")));
    }
    Ok(())
}

/// Checks that a key has no value, and returns the key.
pub(crate) fn parse_flag(key: &Ident, input: ParseStream<'_>) -> Result<Ident> {
    if input.is_empty() || input.peek(Token![,]) {
        return Ok(key.clone());
    }
    Err(input.error(format_args!("`{key}` takes no value; write `{key}` alone")))
}

/// Parses `= "…"`.
pub(crate) fn parse_string(key: &Ident, input: ParseStream<'_>, example: &str) -> Result<LitStr> {
    parse_equals(key, input, example)?;
    if input.peek(LitStr) {
        return input.parse();
    }
    Err(input.error(format_args!("the value of `{key}` is a string; write `{key} = {example}`")))
}

/// Parses `= "name"`. Names appear in frames, logs and audits, so they are restricted to ASCII letters, digits and a few
/// signs.
pub(crate) fn parse_name(key: &Ident, input: ParseStream<'_>, example: &str) -> Result<LitStr> {
    let literal = parse_string(key, input, example)?;
    let name = literal.value();
    if name.is_empty() {
        return Err(error_at(
            &literal,
            format_args!("the name is empty; write `{key} = {example}`, or remove the key"),
        ));
    }
    match name.chars().find(|character| !(character.is_ascii_alphanumeric() || "_.:-".contains(*character))) {
        Some(invalid) => {
            let message =
                format_args!("{invalid:?} is not allowed in a name; use ASCII letters, digits, `_`, `.`, `:` and `-`");
            Err(error_at(literal, message))
        }
        None => Ok(literal),
    }
}

/// Returns whether tokens that could not be parsed may contain a `permission` key, even a misspelled one. If so, the missing
/// permission is not reported as a second error. Any identifier that begins with `perm` counts, also one inside of a path,
/// and so does a permission at the beginning that lacks its key.
pub(crate) fn mentions_permission(tokens: TokenStream) -> bool {
    is_bare_permission(tokens.clone())
        || tokens
            .into_iter()
            .any(|token| matches!(token, TokenTree::Ident(ident) if ident.to_string().starts_with("perm")))
}

pub(crate) fn error_at(tokens: impl ToTokens, message: impl Display) -> syn::Error {
    syn::Error::new_spanned(tokens, message)
}

/// Skips all tokens before the next comma.
fn skip_to_comma(input: ParseStream<'_>) {
    while !input.is_empty() && !input.peek(Token![,]) {
        if input.parse::<TokenTree>().is_err() {
            return;
        }
    }
}

/// Errors that are combined into one as they are added.
pub(crate) struct ErrorList(pub(crate) Option<syn::Error>);

impl ErrorList {
    pub(crate) fn add(&mut self, error: syn::Error) {
        match &mut self.0 {
            Some(all) => all.combine(error),
            none => *none = Some(error),
        }
    }

    pub(crate) fn record<T>(&mut self, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.add(error)).ok()
    }
}
