//! Borrowed types of arguments: `&str` and `Option<&str>` take every JSON string, forms that some messages cannot fill are
//! refused.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{GenericArgument, PathArguments, Type};

use crate::diagnostics::Diagnostics;
use crate::model::parameter::Parameter;
use crate::model::print;

/// Checks an argument of the message. Returns whether something was wrong.
pub(super) fn check(parameter: &Parameter, diagnostics: &mut Diagnostics) -> bool {
    let refusal = refusal(&parameter.name.to_string(), &parameter.ty);
    if let Some(message) = &refusal {
        diagnostics.error(&parameter.ty, message);
    }
    refusal.is_some()
}

/// Checks a capture: it is parsed from the route, so its type cannot borrow.
pub(super) fn check_capture(parameter: &Parameter, diagnostics: &mut Diagnostics) {
    if let Type::Reference(reference) = plain(&parameter.ty) {
        let (name, owned) = (&parameter.name, owned(&reference.elem));
        let message = format!("`{name}` is parsed from the route, so it cannot be borrowed; write `{name}: {owned}`");
        diagnostics.error(&parameter.ty, message);
    }
}

fn refusal(name: &str, ty: &Type) -> Option<String> {
    let (inside, optional) = inside_of_option(ty);
    if let Type::Reference(reference) = inside {
        let owned = owned(&reference.elem);
        let owned = if optional { format!("Option<{owned}>") } else { owned };
        if reference.mutability.is_some() {
            return Some(format!("`{name}` cannot be borrowed mutably from the message; write `mut {name}: {owned}`"));
        }
        if is_never_borrowed(&reference.elem) {
            return Some(format!("`{name}` cannot be borrowed from a message; write `{name}: {owned}`"));
        }
    }
    if borrows_statically(ty.to_token_stream()) {
        return Some(format!(
            "`{name}` borrows from its message, which does not live for `'static`; remove `'static`, as in `&str`"
        ));
    }
    if is_text_reference(inside) {
        return None;
    }
    let tokens = ty.to_token_stream();
    let (text, found) = with_texts(tokens.clone(), &quote!(Str<'_>));
    found.then(|| {
        let (text, string) = (print(text), print(with_texts(tokens, &quote!(String)).0));
        format!(
            "a `&str` inside `{name}` cannot hold a string with escapes; write `{name}: {text}` with \
             `portcullis::Str`, or `{name}: {string}`"
        )
    })
}

/// The `T` of `Option<T>`, or the type itself.
fn inside_of_option(ty: &Type) -> (&Type, bool) {
    let ty = plain(ty);
    if let Type::Path(path) = ty
        && let Some(last) = path.path.segments.last().filter(|last| last.ident == "Option")
        && let PathArguments::AngleBracketed(arguments) = &last.arguments
        && let Some(GenericArgument::Type(inside)) = arguments.args.first()
    {
        return (plain(inside), true);
    }
    (ty, false)
}

/// Returns whether no message can provide a reference to this type, so that the owned type must be written. For other
/// types, `str` or `RawValue` for example, a reference is possible or only the compiler knows.
fn is_never_borrowed(ty: &Type) -> bool {
    const OWNED: [&str; 18] = [
        "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64", "u128",
        "usize", "String", "Vec",
    ];
    match plain(ty) {
        Type::Slice(_) | Type::Array(_) | Type::Tuple(_) | Type::Reference(_) => true,
        Type::Path(path) => path.path.segments.last().is_some_and(|last| OWNED.iter().any(|word| last.ident == word)),
        _ => false,
    }
}

/// Returns the text of the type to write instead of a reference to `ty`.
fn owned(ty: &Type) -> String {
    match plain(ty) {
        ty if is_text_reference(ty) => "&str".to_owned(),
        Type::Reference(reference) => owned(&reference.elem),
        Type::Slice(slice) => {
            let element = &slice.elem;
            print(with_texts(quote!(Vec<#element>), &quote!(String)).0)
        }
        Type::Path(path) if path.path.is_ident("str") => "String".to_owned(),
        ty => print(with_texts(ty.to_token_stream(), &quote!(String)).0),
    }
}

fn is_text_reference(ty: &Type) -> bool {
    let Type::Reference(reference) = plain(ty) else { return false };
    matches!(plain(&reference.elem), Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "str"))
}

/// Returns the type with `text` in place of each `&str`, and whether there was one.
fn with_texts(tokens: TokenStream, text: &TokenStream) -> (TokenStream, bool) {
    let mut tokens = tokens.into_iter().peekable();
    let (mut out, mut found) = (TokenStream::new(), false);
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Group(group) => {
                let (inside, found_inside) = with_texts(group.stream(), text);
                found |= found_inside;
                out.extend([TokenTree::Group(proc_macro2::Group::new(group.delimiter(), inside))]);
            }
            TokenTree::Punct(punct) if punct.as_char() == '&' => {
                let mut skipped = vec![TokenTree::Punct(punct)];
                if is_punct(tokens.peek(), '\'') {
                    skipped.extend(tokens.by_ref().take(2));
                }
                if matches!(tokens.peek(), Some(TokenTree::Ident(word)) if word == "str") {
                    tokens.next();
                    found = true;
                    out.extend(text.clone());
                } else {
                    out.extend(skipped);
                }
            }
            other => out.extend([other]),
        }
    }
    (out, found)
}

/// Returns whether the type contains a `&'static …` or a `Str<'static>`.
fn borrows_statically(tokens: TokenStream) -> bool {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let word = |at: usize, word: &str| matches!(tokens.get(at), Some(TokenTree::Ident(found)) if found == word);
    tokens.iter().enumerate().any(|(at, token)| match token {
        TokenTree::Group(group) => borrows_statically(group.stream()),
        TokenTree::Punct(punct) if punct.as_char() == '\'' && word(at + 1, "static") => {
            let before = at.checked_sub(1).and_then(|before| tokens.get(before));
            is_punct(before, '&') || at.checked_sub(2).is_some_and(|before| word(before, "Str"))
        }
        _ => false,
    })
}

fn is_punct(token: Option<&TokenTree>, letter: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == letter)
}

/// Removes parentheses and the invisible groups that `macro_rules` adds.
fn plain(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => plain(&group.elem),
        Type::Paren(paren) => plain(&paren.elem),
        ty => ty,
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_support;

    fn errors(parameter: &str) -> Vec<String> {
        test_support::handler_errors("", &format!("#[action(permission = A)] fn act(&self, {parameter}) {{}}"))
    }

    #[test]
    fn argument_type_that_holds_every_json_string_is_accepted() {
        for ty in [
            "&str",
            "&'_ str",
            "(&str)",
            "&core::primitive::str",
            "Option<&str>",
            "std::option::Option<&'_ str>",
            "Str<'_>",
            "Cow<'_, str>",
            "Cow<'static, str>",
            "Vec<Str<'_>>",
            "&RawValue",
            "Option<&RawValue>",
            "Vec<&RawValue>",
            "&Path",
            "Query<'_>",
            "Result<u8, String>",
        ] {
            assert_eq!(errors(&format!("a: {ty}")), [""; 0], "{ty}");
        }
        assert_eq!(errors("#[serde(default)] a: &str, #[serde(rename = \"c\")] b: Option<&str>"), [""; 0]);
    }

    #[test]
    fn argument_type_that_cannot_be_borrowed_from_every_message_is_refused() {
        for (ty, words) in [
            ("&'static str", "remove `'static`"),
            ("Option<&'static str>", "remove `'static`"),
            ("Str<'static>", "remove `'static`"),
            ("Vec<Str<'static>>", "remove `'static`"),
            ("&mut str", "write `mut a: String`"),
            ("Option<&mut u8>", "write `mut a: Option<u8>`"),
            ("&[u8]", "write `a: Vec<u8>`"),
            ("Option<&[u8]>", "write `a: Option<Vec<u8>>`"),
            ("&[&str]", "write `a: Vec<String>`"),
            ("&[u8; 4]", "write `a: [u8; 4]`"),
            ("&(u8, &str)", "write `a: (u8, String)`"),
            ("&&str", "write `a: &str`"),
            ("&u32", "write `a: u32`"),
            ("&String", "write `a: String`"),
            ("&Vec<u32>", "write `a: Vec<u32>`"),
            ("Vec<&str>", "write `a: Vec<Str<'_>>` with `portcullis::Str`, or `a: Vec<String>`"),
            ("Vec<&'_ str>", "write `a: Vec<Str<'_>>`"),
            ("Option<Vec<&str>>", "write `a: Option<Vec<Str<'_>>>`"),
            ("Option<Option<&str>>", "write `a: Option<Option<Str<'_>>>`"),
            ("HashMap<&str, u8>", "write `a: HashMap<Str<'_>, u8>`"),
            ("(&str, u8)", "write `a: (Str<'_>, u8)`"),
            ("[&str; 2]", "write `a: [Str<'_>; 2]`"),
        ] {
            let errors = errors(&format!("a: {ty}"));
            assert!(errors.len() == 1 && errors[0].contains(words), "{ty}: {errors:?}");
        }
    }

    #[test]
    fn capture_with_a_borrowed_type_is_refused() {
        for (parameter, words) in [
            ("#[path] a: &str", "write `a: String`"),
            ("#[path(\"b\")] a: &'static str", "write `a: String`"),
            ("#[path] a: &u32", "write `a: u32`"),
        ] {
            let errors = errors(parameter);
            assert!(errors.len() == 1 && errors[0].contains(words), "{parameter}: {errors:?}");
        }
    }
}
