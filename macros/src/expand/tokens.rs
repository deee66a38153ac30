//! Operations on tokens that know nothing of what they stand for.

use proc_macro2::{Group, Ident, Literal, Span, TokenStream, TokenTree};
use quote::quote_spanned;
use syn::Generics;

/// Returns whether the tokens name `Self` or a generic parameter of the block.
pub(super) fn mentions_generics(tokens: TokenStream, generics: &Generics) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(word) => word == "Self" || is_block_parameter(generics, &word),
        TokenTree::Group(group) => mentions_generics(group.stream(), generics),
        _ => false,
    })
}

fn is_block_parameter(generics: &Generics, word: &Ident) -> bool {
    let types = generics.type_params().map(|parameter| &parameter.ident);
    types.chain(generics.const_params().map(|parameter| &parameter.ident)).any(|ident| ident == word)
}

/// Returns the tokens with `Self` replaced by the type.
pub(super) fn replace_self(tokens: TokenStream, ty: &TokenStream) -> TokenStream {
    let mut tokens = tokens.into_iter().peekable();
    let mut out = TokenStream::new();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(word) if word == "Self" => {
                let qualifies = matches!(tokens.peek(), Some(TokenTree::Punct(next)) if next.as_char() == ':');
                out.extend(if qualifies { quote_spanned!(word.span()=> <#ty>) } else { ty.clone() });
            }
            TokenTree::Group(group) => {
                let mut inside = Group::new(group.delimiter(), replace_self(group.stream(), ty));
                inside.set_span(group.span());
                out.extend([TokenTree::Group(inside)]);
            }
            other => out.extend([other]),
        }
    }
    out
}

/// Returns the tokens with the location of `span`. Each keeps its hygiene, so `$crate` keeps its meaning.
pub(super) fn relocate(tokens: TokenStream, span: Span) -> TokenStream {
    let relocated = tokens.into_iter().map(|token| {
        let at = token.span().located_at(span);
        let mut token = match token {
            TokenTree::Group(group) => TokenTree::Group(Group::new(group.delimiter(), relocate(group.stream(), span))),
            other => other,
        };
        token.set_span(at);
        token
    });
    relocated.collect()
}

/// Returns the spans of the first and the last token.
pub(super) fn token_spans(tokens: &TokenStream) -> Option<(Span, Span)> {
    let mut tokens = tokens.clone().into_iter().map(|token| match token {
        TokenTree::Group(group) => (group.span_open(), group.span_close()),
        other => (other.span(), other.span()),
    });
    let (first, last) = tokens.next()?;
    Some((first, tokens.last().map_or(last, |(_, last)| last)))
}

/// Returns an integer literal with this span.
pub(super) fn index_literal(index: usize, span: Span) -> Literal {
    let mut literal = Literal::usize_unsuffixed(index);
    literal.set_span(span);
    literal
}

/// Returns a string literal with this span.
pub(super) fn string_literal(text: &str, span: Span) -> Literal {
    let mut literal = Literal::string(text);
    literal.set_span(span);
    literal
}
