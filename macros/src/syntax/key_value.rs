//! `key`, `key = value`, separated by commas: the inside of every attribute; a mistake at one key does not hide the next.

use std::fmt::Display;

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{LitStr, Result, Token};

/// The keys that one attribute takes.
pub(crate) struct Keys {
    /// The attribute's own name, for messages.
    pub(crate) attribute: &'static str,
    pub(crate) known: &'static [&'static str],
    /// Keys that people look for here, with what to say instead.
    pub(crate) elsewhere: &'static [(&'static str, &'static str)],
}

/// Reads all keys to the end of `input`; `take` reads the rest of one that is known and new.
pub(crate) fn read(
    input: ParseStream<'_>,
    keys: &Keys,
    take: &mut dyn FnMut(&Ident, ParseStream<'_>) -> Result<()>,
) -> Option<syn::Error> {
    let mut errors = Errors(None);
    let mut seen: Vec<Ident> = Vec::new();
    while !input.is_empty() {
        if let Err(error) = entry(input, keys, &mut seen, take) {
            errors.add(error);
            skip(input);
        }
        if input.is_empty() {
            break;
        }
        if !input.peek(Token![,]) {
            errors.add(input.error("expected a `,` before this; it separates the keys"));
            if input.peek(Ident::peek_any) {
                continue;
            }
            skip(input);
        }
        errors.note(input.parse::<Option<Token![,]>>());
    }
    errors.0
}

fn entry(
    input: ParseStream<'_>,
    keys: &Keys,
    seen: &mut Vec<Ident>,
    take: &mut dyn FnMut(&Ident, ParseStream<'_>) -> Result<()>,
) -> Result<()> {
    if !input.peek(Ident::peek_any) {
        return Err(input.error(format_args!("expected a key; {}", keys.list())));
    }
    let key = input.call(Ident::parse_any)?;
    if let Some((_, instead)) = keys.elsewhere.iter().find(|(name, _)| key == name) {
        return Err(refuse(&key, instead));
    }
    if !keys.known.iter().any(|name| key == name) {
        return Err(refuse(&key, format_args!("unknown key `{key}`; {}", keys.list())));
    }
    if seen.contains(&key) {
        return Err(refuse(&key, format_args!("`{key}` is given twice; keep one")));
    }
    seen.push(key.clone());
    take(&key, input)
}

impl Keys {
    fn list(&self) -> String {
        let known: Vec<_> = self.known.iter().map(|name| format!("`{name}`")).collect();
        format!("`#[{}]` takes {}", self.attribute, known.join(", "))
    }
}

/// The `=` between key and value.
pub(crate) fn equals(key: &Ident, input: ParseStream<'_>, example: &str) -> Result<()> {
    if !input.peek(Token![=]) {
        return Err(refuse(key, format_args!("`{key}` needs a value; write `{key} = {example}`")));
    }
    let equals: Token![=] = input.parse()?;
    if input.is_empty() || input.peek(Token![,]) {
        return Err(refuse(equals, format_args!("`{key}` needs a value; write `{key} = {example}`")));
    }
    Ok(())
}

/// A key that stands alone.
pub(crate) fn flag(key: &Ident, input: ParseStream<'_>) -> Result<Ident> {
    if input.is_empty() || input.peek(Token![,]) {
        return Ok(key.clone());
    }
    Err(input.error(format_args!("`{key}` takes no value; write `{key}` alone")))
}

/// A quoted value.
pub(crate) fn text(key: &Ident, input: ParseStream<'_>, example: &str) -> Result<LitStr> {
    equals(key, input, example)?;
    if input.peek(LitStr) {
        return input.parse();
    }
    Err(input.error(format_args!("`{key}` is a string; write `{key} = {example}`")))
}

/// A name that frames, logs and audits carry, and so is kept plain.
pub(crate) fn name(key: &Ident, input: ParseStream<'_>, example: &str) -> Result<LitStr> {
    let literal = text(key, input, example)?;
    let name = literal.value();
    if name.is_empty() {
        return Err(refuse(&literal, format_args!("the name is empty; write `{key} = {example}`, or remove the key")));
    }
    match name.chars().find(|letter| !(letter.is_ascii_alphanumeric() || "_.:-".contains(*letter))) {
        Some(odd) => {
            let message = format_args!("{odd:?} cannot stand in a name; use letters, digits, `_`, `.`, `:` and `-`");
            Err(refuse(literal, message))
        }
        None => Ok(literal),
    }
}

/// May a permission be meant here, however it is spelled? Asked only of what could not be read, so that its absence is not
/// told on top: a path that happens to begin with the word says nothing.
pub(crate) fn means_permission(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| matches!(token, TokenTree::Ident(word) if word.to_string().starts_with("perm")))
}

pub(crate) fn refuse(at: impl ToTokens, message: impl Display) -> syn::Error {
    syn::Error::new_spanned(at, message)
}

/// Goes on to the next comma.
fn skip(input: ParseStream<'_>) {
    while !input.is_empty() && !input.peek(Token![,]) {
        if input.parse::<TokenTree>().is_err() {
            return;
        }
    }
}

/// Errors joined into one as they come.
pub(crate) struct Errors(pub(crate) Option<syn::Error>);

impl Errors {
    pub(crate) fn add(&mut self, error: syn::Error) {
        match &mut self.0 {
            Some(all) => all.combine(error),
            none => *none = Some(error),
        }
    }

    pub(crate) fn note<T>(&mut self, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.add(error)).ok()
    }
}
