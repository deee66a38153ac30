//! Test of the locations of generated tokens: a function that is generated for a method has no token at the attribute.
//!
//! The compiler joins the spans of the first and the last token of an expression. A span from the attribute to a method
//! covers the bodies of all methods between them, so an edit of one of those would make the compiler check the function
//! again.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::visit_mut::VisitMut;
use syn::{ImplItemFn, Item, ItemImpl, Meta};

use crate::expand_block;
use crate::syntax::block::BlockKind;

/// Generated functions that belong to the attribute: their leaves stand in its arguments, or they have an arm per route.
const OF_THE_ATTRIBUTE: &[&str] =
    &["_a_type_has_one_handler_or_consumer_block", "authorize", "authorize_connect", "descend"];

const SOURCES: &[&str] = &[
    include_str!("../tests/expand/arguments.rs"),
    include_str!("../tests/expand/authenticate.rs"),
    include_str!("../tests/expand/connect.rs"),
    include_str!("../tests/expand/event.rs"),
    include_str!("../tests/expand/generic_block.rs"),
    include_str!("../tests/expand/objects.rs"),
    include_str!("../tests/expand/permission_tree.rs"),
    include_str!("../tests/expand/captures.rs"),
    include_str!("../tests/expand/route_and_path.rs"),
];

/// The functions with tokens at the attribute, and how many functions were examined.
#[derive(Default)]
struct Functions {
    examined: usize,
    at_attribute: Vec<String>,
}

impl VisitMut for Functions {
    fn visit_impl_item_fn_mut(&mut self, function: &mut ImplItemFn) {
        let name = function.sig.ident.to_string();
        if OF_THE_ATTRIBUTE.contains(&name.as_str()) {
            return;
        }
        self.examined += 1;
        let mut texts = Vec::new();
        tokens_at_attribute(function.to_token_stream(), &mut texts);
        if !texts.is_empty() {
            self.at_attribute.push(format!("{name}: {}", texts.join(" ")));
        }
    }
}

/// In unit tests the attribute has no source text, so that its span is empty.
fn tokens_at_attribute(tokens: TokenStream, texts: &mut Vec<String>) {
    for token in tokens {
        if token.span().byte_range().is_empty() {
            texts.push(token.to_string());
        } else if let TokenTree::Group(group) = token {
            tokens_at_attribute(group.stream(), texts);
        }
    }
}

fn expand(mut block: ItemImpl) -> TokenStream {
    let attribute = block.attrs.remove(0);
    let kind = if attribute.path().is_ident("consumer") { BlockKind::Consumer } else { BlockKind::Handler };
    let arguments = match attribute.meta {
        Meta::List(list) => list.tokens,
        _ => TokenStream::new(),
    };
    expand_block(kind, arguments, &block.into_token_stream())
}

#[test]
fn functions_generated_for_methods_have_no_token_at_the_attribute() {
    let mut functions = Functions::default();
    for source in SOURCES {
        for item in syn::parse_file(source).unwrap().items {
            let Item::Impl(block) = item else { continue };
            let mut expanded: syn::File = syn::parse2(expand(block)).unwrap();
            functions.visit_file_mut(&mut expanded);
        }
    }
    assert!(functions.examined > 40, "{}", functions.examined);
    assert_eq!(functions.at_attribute, Vec::<String>::new());
}
