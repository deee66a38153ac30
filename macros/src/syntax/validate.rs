//! The key `validate`: alone, or with the names of parameters in parentheses.

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Result, Token, token};

use super::key_value::error_at;

/// Which arguments of an action are validated.
pub(crate) struct Validate {
    /// The key itself, for errors to underline.
    pub(crate) key: Ident,
    /// The parameters. `None` stands for all that are read from the message.
    pub(crate) names: Option<Vec<Ident>>,
}

const FORMS: &str = "write `validate` for all arguments, or name some of them, as in `validate(message)`";

/// Parses nothing, or `(message, filter)`.
pub(super) fn parse(key: &Ident, input: ParseStream<'_>) -> Result<Validate> {
    let key = key.clone();
    if input.is_empty() || input.peek(Token![,]) {
        return Ok(Validate { key, names: None });
    }
    if !input.peek(token::Paren) {
        return Err(input.error(format_args!("`validate` takes no value; {FORMS}")));
    }
    let content;
    syn::parenthesized!(content in input);
    // All tokens are read: of an unread one, syn would report nothing but that.
    let tokens: TokenStream = content.parse()?;
    let names = parse_names.parse2(tokens)?;
    if names.is_empty() {
        return Err(error_at(&key, format_args!("`validate` names no parameter; {FORMS}")));
    }
    Ok(Validate { key, names: Some(names) })
}

fn parse_names(list: ParseStream<'_>) -> Result<Vec<Ident>> {
    let mut names: Vec<Ident> = Vec::new();
    while !list.is_empty() {
        if !list.peek(Ident::peek_any) {
            let other: TokenTree = list.parse()?;
            return Err(error_at(&other, format_args!("`{other}` is not the name of a parameter; {FORMS}")));
        }
        let name = list.call(Ident::parse_any)?;
        if names.iter().any(|known| known.unraw() == name.unraw()) {
            return Err(error_at(&name, format_args!("`{name}` is named twice; remove one of them")));
        }
        names.push(name);
        if !list.is_empty() && !list.peek(Token![,]) {
            return Err(list.error("expected a `,` before this, to separate two parameters"));
        }
        list.parse::<Option<Token![,]>>()?;
    }
    Ok(names)
}
