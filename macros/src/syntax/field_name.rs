//! The name of one field, quoted or bare.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Index, LitInt, LitStr, Member, Result, Token};

use super::key_value::{self, error_at};

/// Returns the field that `text` names, with the span `span`. Returns `None` if `text` is anything but the name of one
/// field.
pub(super) fn parse_field_name(text: &str, span: Span) -> Option<Member> {
    if text.starts_with(|first: char| first.is_ascii_digit()) {
        let index: u32 = text.parse().ok()?;
        // A position has no leading zeros, so `007` does not name a field.
        return (index.to_string() == text).then_some(Member::Unnamed(Index { index, span }));
    }
    let name = text.strip_prefix("r#").unwrap_or(text);
    // Checked first because the compiler's lexer reports invalid tokens itself, without this span.
    let is_allowed = |character: char| character.is_alphabetic() || character.is_ascii_digit() || character == '_';
    if !name.chars().all(is_allowed) || matches!(name, "" | "_" | "self" | "Self" | "super" | "crate") {
        return None;
    }
    if syn::parse_str::<Ident>(name).is_ok() {
        return Some(Member::Named(Ident::new(name, span)));
    }
    // A keyword can only name a field as a raw identifier.
    Ident::parse_any.parse_str(name).ok().map(|_| Member::Named(Ident::new_raw(name, span)))
}

/// Parses the `= field` after a key, with the field bare or quoted.
pub(super) fn parse_field(key: &Ident, input: ParseStream<'_>) -> Result<Member> {
    key_value::parse_equals(key, input, "symbol")?;
    let value = take_value(input)?;
    let span = value.clone().into_iter().next().map_or_else(Span::call_site, |token| token.span());
    let text = match syn::parse2::<LitStr>(value.clone()) {
        Ok(literal) => Some(literal.value()),
        Err(_) => single_token_text(&value),
    };
    let field = text.and_then(|text| parse_field_name(&text, span));
    field.ok_or_else(|| {
        error_at(
            value,
            format_args!("`{key}` takes the name of one field of the event; write, for example, `{key} = symbol`"),
        )
    })
}

/// Takes all tokens before the next comma.
fn take_value(input: ParseStream<'_>) -> Result<TokenStream> {
    let mut value = TokenStream::new();
    while !input.is_empty() && !input.peek(Token![,]) {
        value.extend([input.parse::<TokenTree>()?]);
    }
    Ok(value)
}

/// Returns the text of a value that is one identifier or one number.
fn single_token_text(value: &TokenStream) -> Option<String> {
    let name = Ident::parse_any.parse2(value.clone()).map(|name| name.to_string());
    name.or_else(|_| syn::parse2::<LitInt>(value.clone()).map(|number| number.to_token_stream().to_string())).ok()
}

#[cfg(test)]
mod tests {
    use super::{parse_field, parse_field_name};
    use proc_macro2::Span;
    use quote::ToTokens;
    use syn::parse::{ParseStream, Parser};

    #[test]
    fn parse_field_name_accepts_identifiers_and_positions() {
        for (text, expected) in [
            ("symbol", Some("symbol")),
            ("_id", Some("_id")),
            ("type", Some("r#type")),
            ("r#type", Some("r#type")),
            ("r#symbol", Some("symbol")),
            ("0", Some("0")),
            ("12", Some("12")),
            ("", None),
            ("007", None),
            ("1u8", None),
            ("99999999999", None),
            ("-1", None),
            ("_", None),
            ("self", None),
            ("crate", None),
            ("a.b", None),
            ("a, b", None),
            ("a()", None),
            ("a:?", None),
            (" a", None),
            ("\"", None),
            ("(", None),
            ("r#", None),
            ("r#0", None),
            ("r#self", None),
            ("a/**/", None),
        ] {
            let found = parse_field_name(text, Span::call_site()).map(|field| field.to_token_stream().to_string());
            assert_eq!(found.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn parse_field_accepts_bare_and_quoted_names() {
        let read = |text: &str| {
            let key = syn::parse_quote!(key);
            let field = (|input: ParseStream<'_>| parse_field(&key, input)).parse_str(text);
            field.map(|field| field.to_token_stream().to_string()).map_err(|error| error.to_string())
        };
        for (text, expected) in [
            ("= symbol", "symbol"),
            ("= \"symbol\"", "symbol"),
            ("= type", "r#type"),
            ("= r#type", "r#type"),
            ("= 0", "0"),
            ("= \"0\"", "0"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(expected), "{text}");
        }
        for text in ["= a.b", "= a::b", "= a()", "= (a, b)", "= \"\"", "= \"a.b\"", "= 0.1", "= 0u8", "= 'a'", "= _"] {
            let error = read(text).unwrap_err();
            assert_eq!(
                error, "`key` takes the name of one field of the event; write, for example, `key = symbol`",
                "{text}"
            );
        }
        for text in ["", "="] {
            assert_eq!(read(text).unwrap_err(), "`key` needs a value; write `key = symbol`", "{text}");
        }
    }
}
