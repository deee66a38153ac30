//! The items that name the leaves of an expression: one alias per leaf, and constructors of those in a quoted expression.

use proc_macro2::{Ident, Literal, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Attribute, DeriveInput, Generics, Member};

use crate::expand::paths;
use crate::expand::tokens::mentions_generics;
use crate::model::expression::Expression;
use crate::model::{Leaf, replace_placeholders, respan};

/// Returns the aliases and constructors. A path is resolved only in its alias, so that a misspelled one is reported once.
///
/// Those of a quoted expression come out of a derive: all tokens have the span of the literal, so that a suggestion for one
/// of them would replace the whole expression, and the compiler makes no suggestions for what a derive generates.
pub(in crate::expand) fn leaf_aliases(
    expression: &Expression,
    role: &str,
    generics: &Generics,
    cfgs: &[Attribute],
) -> TokenStream {
    let leaves = expression.leaves.iter().enumerate();
    let nameable = leaves.filter(|(_, leaf)| !mentions_generics(leaf.path.to_token_stream(), generics));
    let items: TokenStream = nameable
        .map(|(position, leaf)| {
            let (name, path) = (alias_name(leaf, role, position), &leaf.path);
            if leaf.is_codename {
                let codename = paths::codename(leaf.span);
                return quote!(#(#cfgs)* const #name: #codename = #path;);
            }
            let constructor = constructor_name(expression, leaf, role, position, generics).map(|constructor| {
                let value = value(leaf, &name.to_token_stream(), |placeholder| placeholder.to_token_stream());
                quote!(#(#cfgs)* fn #constructor() -> #name { #value })
            });
            quote!(#(#cfgs)* type #name = #path; #constructor)
        })
        .collect();
    let Some(span) = expression.literal_span().filter(|_| !items.is_empty()) else { return items };
    let (derive, bearer) = (paths::quoted_permission(span), format_ident!("__{role}Quoted", span = span));
    quote_spanned!(span=> #[derive(#derive)] #[quoted(#items)] struct #bearer;)
}

/// Returns the items that [`leaf_aliases`] has given to the derive, at its call site.
pub(crate) fn quoted_items(input: &DeriveInput) -> TokenStream {
    let lists = input.attrs.iter().filter_map(|attribute| attribute.meta.require_list().ok());
    lists.map(|list| respan(list.tokens.clone(), Span::call_site())).collect()
}

/// Returns the name of the alias. A constant is in upper case, because lints check names with the user's span.
pub(super) fn alias_name(leaf: &Leaf, role: &str, position: usize) -> Ident {
    if leaf.is_codename {
        let role = role.to_uppercase();
        return format_ident!("__{role}LEAF{position}", span = leaf.span);
    }
    format_ident!("__{role}Leaf{position}", span = leaf.span)
}

/// Returns the name of the function that returns the leaf as a value. There is one if the expression is quoted and the value
/// depends on nothing but names of the module.
pub(super) fn constructor_name(
    expression: &Expression,
    leaf: &Leaf,
    role: &str,
    position: usize,
    generics: &Generics,
) -> Option<Ident> {
    let is_constant = || {
        let depends = |tokens: TokenStream| mentions_generics(tokens.clone(), generics) || mentions_self(tokens);
        !leaf.is_codename
            && !leaf.arguments.is_empty()
            && leaf.placeholders.is_empty()
            && !depends(leaf.path.to_token_stream())
            && !depends(leaf.arguments.to_token_stream())
    };
    let is_quoted = expression.literal_span().is_some();
    (is_quoted && is_constant()).then(|| format_ident!("__{}_leaf{position}", role.to_lowercase(), span = leaf.span))
}

fn mentions_self(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(word) => word == "self",
        TokenTree::Group(group) => mentions_self(group.stream()),
        _ => false,
    })
}

/// Returns the leaf as a value: `Owner {}`, `HasRole { 0: "admin" }`. Braces work with an alias, parentheses do not.
/// `replacement` is what stands for a placeholder.
pub(super) fn value(
    leaf: &Leaf,
    name: &TokenStream,
    mut replacement: impl FnMut(Member) -> TokenStream,
) -> TokenStream {
    let span = leaf.span;
    let fields = leaf.arguments.iter().enumerate().map(|(position, argument)| {
        let mut position = Literal::usize_unsuffixed(position);
        position.set_span(span);
        let mut argument = argument.clone();
        replace_placeholders(&mut argument, &mut replacement);
        quote_spanned!(span=> #position: #argument)
    });
    quote_spanned!(span=> #name { #(#fields),* })
}
