//! Method bodies, which are not parsed: a mistake in one is reported by the compiler and by nothing else.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};

/// The beginning of the identifiers that stand for bodies while a block is parsed.
const MARKER: &str = "__portcullis_body_";

/// Attributes of methods and of their parameters, which mean nothing outside of a block.
const INNER_ATTRIBUTES: &[&str] =
    &["action", "route", "event", "connect", "disconnect", "authenticate", "path", "extract", "object", "serde"];

/// The bodies of the methods of an impl block.
pub(crate) struct MethodBodies(Vec<Group>);

impl MethodBodies {
    /// Replaces the bodies of an impl block by markers.
    pub(crate) fn take(item: &TokenStream) -> (TokenStream, MethodBodies) {
        let mut bodies = Vec::new();
        let mut tokens: Vec<_> = item.clone().into_iter().collect();
        if let Some(TokenTree::Group(block)) = tokens.last_mut()
            && block.delimiter() == Delimiter::Brace
        {
            *block = with_stream(block, mark_bodies(block.stream(), &mut bodies));
        }
        (tokens.into_iter().collect(), MethodBodies(bodies))
    }

    /// Puts the bodies back in place of their markers.
    pub(crate) fn restore(&self, tokens: TokenStream) -> TokenStream {
        let mut remaining = self.0.len();
        self.restore_in(tokens, &mut remaining)
    }

    fn restore_in(&self, tokens: TokenStream, remaining: &mut usize) -> TokenStream {
        let restored = tokens.into_iter().map(|token| match token {
            // The user's block comes first, so that the generated code is not searched.
            TokenTree::Group(group) if *remaining > 0 && group.delimiter() != Delimiter::Bracket => {
                let Some(body) = marker_position(&group).and_then(|position| self.0.get(position)) else {
                    return with_stream(&group, self.restore_in(group.stream(), remaining)).into();
                };
                *remaining -= 1;
                body.clone().into()
            }
            token => token,
        });
        restored.collect()
    }
}

/// Replaces each braced group that may be a body: one that is neither a generic argument nor the input of a macro.
fn mark_bodies(block: TokenStream, bodies: &mut Vec<Group>) -> TokenStream {
    let mut previous = ' ';
    let marked = block.into_iter().map(|token| {
        let token = match token {
            TokenTree::Group(body) if body.delimiter() == Delimiter::Brace && !matches!(previous, '<' | ',' | '!') => {
                let marker = Ident::new(&format!("{MARKER}{}", bodies.len()), Span::mixed_site());
                let stand_in = with_stream(&body, TokenTree::from(marker).into());
                bodies.push(body);
                stand_in.into()
            }
            token => token,
        };
        previous = if let TokenTree::Punct(punct) = &token { punct.as_char() } else { ' ' };
        token
    });
    marked.collect()
}

fn marker_position(group: &Group) -> Option<usize> {
    let mut tokens = group.stream().into_iter();
    match (tokens.next(), tokens.next()) {
        (Some(TokenTree::Ident(marker)), None) => marker.to_string().strip_prefix(MARKER)?.parse().ok(),
        _ => None,
    }
}

/// Removes the attributes of methods and parameters from an impl block that cannot be parsed. The compiler reports why it
/// cannot; each attribute would add an error of its own. Another item is returned unchanged.
pub(crate) fn without_inner_attributes(item: &TokenStream) -> TokenStream {
    let is_impl = |token| matches!(token, TokenTree::Ident(word) if word == "impl");
    if item.clone().into_iter().any(is_impl) { remove_inner_attributes(item.clone()) } else { item.clone() }
}

fn remove_inner_attributes(tokens: TokenStream) -> TokenStream {
    let mut kept: Vec<TokenTree> = Vec::new();
    for token in tokens {
        let token = match token {
            TokenTree::Group(attribute) if is_attribute_of_a_method(&attribute, kept.last()) => {
                kept.pop();
                continue;
            }
            TokenTree::Group(group) if group.delimiter() != Delimiter::Bracket => {
                with_stream(&group, remove_inner_attributes(group.stream())).into()
            }
            token => token,
        };
        kept.push(token);
    }
    kept.into_iter().collect()
}

fn is_attribute_of_a_method(group: &Group, previous: Option<&TokenTree>) -> bool {
    let is_attribute = group.delimiter() == Delimiter::Bracket
        && matches!(previous, Some(TokenTree::Punct(hash)) if hash.as_char() == '#');
    let path =
        group.stream().into_iter().take_while(|token| matches!(token, TokenTree::Ident(_) | TokenTree::Punct(_)));
    let name = path.filter(|token| matches!(token, TokenTree::Ident(_))).last();
    is_attribute && name.is_some_and(|name| INNER_ATTRIBUTES.contains(&&*name.to_string()))
}

/// Returns a group with the same delimiter and location and another content.
fn with_stream(group: &Group, stream: TokenStream) -> Group {
    let mut other = Group::new(group.delimiter(), stream);
    other.set_span(group.span());
    other
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    #[test]
    fn bodies_are_taken_and_restored() {
        let block = quote! {
            impl<const N: usize> Chat<{ 1 + 1 }> {
                const ONE: usize = { 1 };
                callback! { nothing }
                fn first() -> Sized<{ N }> where Other<u8, { N }>: Copy { let a = 1 let b = }
                async fn second(&self, f: fn() -> u8) { second(); { nested } }
                fn empty() {}
            }
        };
        let (marked, bodies) = MethodBodies::take(&block);
        let text = marked.to_string();
        for taken in ["let b", "second ()", "nested"] {
            assert!(!text.contains(taken), "{text}");
        }
        assert_eq!(bodies.0.len(), 4);
        assert!(syn::parse2::<syn::ItemImpl>(marked.clone()).is_ok(), "{text}");
        assert_eq!(bodies.restore(marked).to_string(), block.to_string());
    }

    #[test]
    fn attributes_of_methods_are_removed() {
        let block = quote! {
            impl Chat {
                #[action(permission = AllowAny)]
                #[portcullis::route("a/")]
                #[doc = "kept"]
                fn first(&self, #[path] id: u8, #[cfg(unix)] name:)
            }
        };
        let text = without_inner_attributes(&block).to_string();
        assert!(!text.contains("action") && !text.contains("route") && !text.contains("path"), "{text}");
        assert!(text.contains("kept") && text.contains("cfg"), "{text}");
    }
}
