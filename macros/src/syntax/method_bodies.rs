//! Method bodies, which are not parsed: a mistake in one is reported by the compiler and by nothing else.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};

/// The beginning of the identifiers that stand for bodies while a block is parsed.
const MARKER: &str = "__portcullis_body_";

/// Attributes of methods and of their parameters. In a block that Portcullis does not expand, each is an error of its own.
const METHOD_ATTRIBUTES: &[&str] =
    &["action", "route", "event", "connect", "disconnect", "gap", "authenticate", "path", "extract", "object", "serde"];

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

/// What a token of an impl block belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The beginning of an item: attributes, visibility and modifiers.
    Start,
    Method,
    /// A constant, a type or a macro. Its braces are no body: those of a `match` would not be parsed without the arms.
    OtherItem,
}

impl Place {
    fn after(self, token: &TokenTree, is_macro_input: bool) -> Place {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == ';' => Place::Start,
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace && is_macro_input => Place::Start,
            TokenTree::Ident(word) if self == Place::Start => match &*word.to_string() {
                "fn" => Place::Method,
                "pub" | "default" | "const" | "async" | "unsafe" | "extern" => Place::Start,
                _ => Place::OtherItem,
            },
            _ => self,
        }
    }
}

/// Replaces the body of each method by a marker. A braced group that `,` or `>` follows is a generic argument, not a body.
fn mark_bodies(block: TokenStream, bodies: &mut Vec<Group>) -> TokenStream {
    let (mut place, mut previous) = (Place::Start, ' ');
    let mut tokens = block.into_iter().peekable();
    let mut output = Vec::new();
    while let Some(token) = tokens.next() {
        let is_argument = matches!(tokens.peek(), Some(TokenTree::Punct(next)) if matches!(next.as_char(), ',' | '>'));
        place = place.after(&token, place == Place::OtherItem && previous == '!');
        previous = if let TokenTree::Punct(punct) = &token { punct.as_char() } else { ' ' };
        output.push(match token {
            TokenTree::Group(body)
                if body.delimiter() == Delimiter::Brace && place == Place::Method && !is_argument =>
            {
                place = Place::Start;
                let marker = Ident::new(&format!("{MARKER}{}", bodies.len()), Span::mixed_site());
                let stand_in = with_stream(&body, TokenTree::from(marker).into());
                bodies.push(body);
                stand_in.into()
            }
            token => token,
        });
    }
    output.into_iter().collect()
}

/// Returns the position of the body that a group marks, or `None` if the group is no marker.
fn marker_position(group: &Group) -> Option<usize> {
    let mut tokens = group.stream().into_iter();
    match (tokens.next(), tokens.next()) {
        (Some(TokenTree::Ident(marker)), None) => marker.to_string().strip_prefix(MARKER)?.parse().ok(),
        _ => None,
    }
}

/// Returns an impl block, whose bodies are markers, without the items that cannot be parsed.
pub(crate) fn parsable_items(block: &TokenStream) -> Option<TokenStream> {
    let mut tokens: Vec<_> = block.clone().into_iter().collect();
    let Some(TokenTree::Group(items)) = tokens.pop() else { return None };
    let (mut parsable, mut item) = (TokenStream::new(), TokenStream::new());
    for token in items.stream() {
        let is_end = match &token {
            TokenTree::Punct(punct) => punct.as_char() == ';',
            TokenTree::Group(body) => marker_position(body).is_some(),
            _ => false,
        };
        item.extend([token]);
        if is_end {
            let item = std::mem::take(&mut item);
            parsable.extend(syn::parse2::<syn::ImplItem>(item.clone()).map(|_| item).unwrap_or_default());
        }
    }
    tokens.push(with_stream(&items, parsable).into());
    Some(tokens.into_iter().collect())
}

/// Replaces the attributes of methods and parameters in an impl block that cannot be parsed by one without effect. Each
/// would add an error of its own. The compiler has reported why the block cannot be parsed, and reports it again for what
/// this returns; with the same tokens at the same places, it shows equal errors once. Another item is returned unchanged.
pub(crate) fn strip_method_attributes(item: &TokenStream) -> TokenStream {
    let is_impl = |token| matches!(token, TokenTree::Ident(word) if word == "impl");
    if item.clone().into_iter().any(is_impl) { remove_attributes(item.clone()) } else { item.clone() }
}

fn remove_attributes(tokens: TokenStream) -> TokenStream {
    let mut kept: Vec<TokenTree> = Vec::new();
    for token in tokens {
        let token = match token {
            TokenTree::Group(attribute) if is_attribute_of_a_method(&attribute, kept.last()) => {
                with_stream(&attribute, inert_attribute(attribute.span())).into()
            }
            // A group without such attributes keeps the spans of its delimiters, which a new one would not have.
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace || has_attribute(group.stream()) => {
                with_stream(&group, remove_attributes(group.stream())).into()
            }
            token => token,
        };
        kept.push(token);
    }
    kept.into_iter().collect()
}

/// Returns `cfg(all())`, which no lint calls unused.
fn inert_attribute(span: Span) -> TokenStream {
    let call = |name: &str, arguments: TokenStream| {
        let arguments = Group::new(Delimiter::Parenthesis, arguments);
        [TokenTree::Ident(Ident::new(name, span)), TokenTree::Group(arguments)].into_iter().collect()
    };
    call("cfg", call("all", TokenStream::new()))
}

/// Returns whether the tokens have an attribute at their own level.
fn has_attribute(tokens: TokenStream) -> bool {
    let tokens: Vec<_> = tokens.into_iter().collect();
    let mut neighbours = tokens.iter().zip(tokens.iter().skip(1));
    neighbours.any(
        |(previous, token)| matches!(token, TokenTree::Group(group) if is_attribute_of_a_method(group, Some(previous))),
    )
}

fn is_attribute_of_a_method(group: &Group, previous: Option<&TokenTree>) -> bool {
    let is_attribute = group.delimiter() == Delimiter::Bracket
        && matches!(previous, Some(TokenTree::Punct(hash)) if hash.as_char() == '#');
    let path =
        group.stream().into_iter().take_while(|token| matches!(token, TokenTree::Ident(_) | TokenTree::Punct(_)));
    let name = path.filter(|token| matches!(token, TokenTree::Ident(_))).last();
    is_attribute && name.is_some_and(|name| METHOD_ATTRIBUTES.contains(&&*name.to_string()))
}

/// Returns a group with the delimiter and the span of `group`, and with `stream` as its content.
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
        assert_eq!(bodies.0.len(), 3);
        assert!(syn::parse2::<syn::ItemImpl>(marked.clone()).is_ok(), "{text}");
        assert_eq!(bodies.restore(marked).to_string(), block.to_string());
    }

    #[test]
    fn block_with_a_constant_that_matches_is_parsed_and_restored() {
        let block = quote! {
            impl Chat {
                const SIZE: usize = match LIMIT { Some(size) => size, None => 1 };
                pub const fn limit() -> usize { 1 }
                const BOUNDS: Bounds = Bounds { low: 1, ..Bounds::NEW };
                const HOOK: fn() -> u8 = match HOOKS { _ => first };
            }
        };
        let (marked, bodies) = MethodBodies::take(&block);
        assert!(syn::parse2::<syn::ItemImpl>(marked.clone()).is_ok(), "{marked}");
        assert_eq!(bodies.0.len(), 1);
        assert_eq!(bodies.restore(marked).to_string(), block.to_string());
    }

    #[test]
    fn body_after_a_trailing_comma_or_the_never_type_is_taken() {
        let block = quote! {
            impl Chat {
                macro_call! { let kept = }
                fn first<T>() where T: Copy, { let a = 1 let b = }
                fn second() -> ! { let a = 1 let b = }
                fn third() -> impl Iterator<Item = u8> { let a = 1 let b = }
            }
        };
        let (marked, bodies) = MethodBodies::take(&block);
        let text = marked.to_string();
        assert!(!text.contains("let b") && text.contains("kept"), "{text}");
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
        let text = strip_method_attributes(&block).to_string();
        assert!(!text.contains("action") && !text.contains("route") && !text.contains("path"), "{text}");
        assert!(text.contains("kept") && text.contains("cfg"), "{text}");
    }
}
