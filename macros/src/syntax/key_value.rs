//! `key`, `key = value`, separated by commas: the inside of every attribute; a mistake at one key does not hide the next.

use std::fmt::Display;

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{LitStr, Result, Token};

/// The keys that one attribute takes.
pub(crate) struct KeySet {
    /// The attribute's own name, for messages.
    pub(crate) attribute: &'static str,
    pub(crate) known: &'static [&'static str],
    /// Keys that people look for here, with what to say instead.
    pub(crate) hints: &'static [(&'static str, &'static str)],
}

/// Reads all keys to the end of `input`; `take` reads the rest of one that is known and new.
pub(crate) fn parse_keys(
    input: ParseStream<'_>,
    keys: &KeySet,
    parse_value: &mut dyn FnMut(&Ident, ParseStream<'_>) -> Result<()>,
) -> Option<syn::Error> {
    let mut errors = ErrorList(None);
    let mut seen: Vec<Ident> = Vec::new();
    while !input.is_empty() {
        if let Err(error) = parse_key(input, keys, &mut seen, parse_value) {
            errors.add(error);
            skip_to_comma(input);
        }
        if input.is_empty() {
            break;
        }
        if !input.peek(Token![,]) {
            errors.add(input.error("expected a `,` before this; it separates the keys"));
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
    seen: &mut Vec<Ident>,
    parse_value: &mut dyn FnMut(&Ident, ParseStream<'_>) -> Result<()>,
) -> Result<()> {
    if !input.peek(Ident::peek_any) {
        return Err(input.error(format_args!("expected a key; {}", keys.list())));
    }
    let key = input.call(Ident::parse_any)?;
    if let Some((_, instead)) = keys.hints.iter().find(|(name, _)| key == name) {
        return Err(error_at(&key, instead));
    }
    if !keys.known.iter().any(|name| key == name) {
        return Err(error_at(&key, format_args!("unknown key `{key}`; {}", keys.list())));
    }
    if seen.contains(&key) {
        return Err(error_at(&key, format_args!("`{key}` is given twice; keep one")));
    }
    seen.push(key.clone());
    parse_value(&key, input)
}

impl KeySet {
    fn list(&self) -> String {
        let known: Vec<_> = self.known.iter().map(|name| format!("`{name}`")).collect();
        format!("`#[{}]` takes {}", self.attribute, known.join(", "))
    }
}

/// The `=` between key and value.
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

/// A key that stands alone.
pub(crate) fn parse_flag(key: &Ident, input: ParseStream<'_>) -> Result<Ident> {
    if input.is_empty() || input.peek(Token![,]) {
        return Ok(key.clone());
    }
    Err(input.error(format_args!("`{key}` takes no value; write `{key}` alone")))
}

/// A quoted value.
pub(crate) fn parse_string(key: &Ident, input: ParseStream<'_>, example: &str) -> Result<LitStr> {
    parse_equals(key, input, example)?;
    if input.peek(LitStr) {
        return input.parse();
    }
    Err(input.error(format_args!("`{key}` is a string; write `{key} = {example}`")))
}

/// A name that frames, logs and audits carry, and so is kept plain.
pub(crate) fn parse_name(key: &Ident, input: ParseStream<'_>, example: &str) -> Result<LitStr> {
    let literal = parse_string(key, input, example)?;
    let name = literal.value();
    if name.is_empty() {
        return Err(error_at(
            &literal,
            format_args!("the name is empty; write `{key} = {example}`, or remove the key"),
        ));
    }
    match name.chars().find(|letter| !(letter.is_ascii_alphanumeric() || "_.:-".contains(*letter))) {
        Some(odd) => {
            let message = format_args!("{odd:?} cannot stand in a name; use letters, digits, `_`, `.`, `:` and `-`");
            Err(error_at(literal, message))
        }
        None => Ok(literal),
    }
}

/// May a permission be meant here, however it is spelled? Asked only of what could not be read, so that its absence is not
/// told on top: a path that happens to begin with the word says nothing.
pub(crate) fn mentions_permission(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| matches!(token, TokenTree::Ident(word) if word.to_string().starts_with("perm")))
}

pub(crate) fn error_at(at: impl ToTokens, message: impl Display) -> syn::Error {
    syn::Error::new_spanned(at, message)
}

/// Goes on to the next comma.
fn skip_to_comma(input: ParseStream<'_>) {
    while !input.is_empty() && !input.peek(Token![,]) {
        if input.parse::<TokenTree>().is_err() {
            return;
        }
    }
}

/// Errors joined into one as they come.
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
