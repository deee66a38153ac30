//! Golden tests: each `tests/expand/NAME.rs` must expand to exactly `tests/expand/NAME.expanded.rs`.
//!
//! After a change of the generated code, `UPDATE_EXPECT=1 cargo test -p portcullis-macros` rewrites the expected files.
//! Review their diff.

use expect_test::{ExpectFile, expect_file};
use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Item, ItemEnum, ItemStruct, Meta};

use crate::syntax::block::BlockKind;
use crate::{expand_block, expand_codenames, expand_event_type, expand_group};

macro_rules! golden {
    ($($name:ident)+) => {
        $(
            #[test]
            fn $name() {
                let source = include_str!(concat!("../tests/expand/", stringify!($name), ".rs"));
                let expected = expect_file![concat!("../tests/expand/", stringify!($name), ".expanded.rs")];
                assert_expansion(stringify!($name), source, &expected);
            }
        )+
    };
}

golden! {
    minimal
    two_actions
    permission_tree
    arguments
    validate
    cfg_action
    renamed_crate
    self_in_an_argument
    route_and_path
    connect
    authenticate
    generic_block
    objects
    rate
    captures
    codenames
    event
    event_type
    group
    presence
    history
    fallback
    group_fallback
}

fn assert_expansion(name: &str, source: &str, expected: &ExpectFile) {
    let mut file = syn::parse_file(source).unwrap();
    file.items = file.items.into_iter().flat_map(expand_item).collect();
    file.attrs.clear();
    let expanded = prettyplease::unparse(&file);
    // A mistake in a golden input would otherwise be blessed as the expected expansion.
    assert_eq!(expanded.contains("compile_error!"), name.ends_with("fallback"), "{expanded}");
    expected.assert_eq(&expanded);
}

/// Expands the Portcullis macro on an item. Returns an item without one unchanged.
fn expand_item(item: Item) -> Vec<Item> {
    let mut block = match item {
        Item::Impl(block) => block,
        Item::Macro(call) if call.mac.path.is_ident("permissions") => {
            return parse_items(expand_codenames(call.mac.tokens));
        }
        Item::Struct(_) | Item::Enum(_) => return expand_derive(item),
        item => return vec![item],
    };
    let attribute = block.attrs.remove(0);
    let kind = if attribute.path().is_ident("consumer") { BlockKind::Consumer } else { BlockKind::Handler };
    let arguments = match attribute.meta {
        Meta::List(list) => list.tokens,
        _ => TokenStream::new(),
    };
    parse_items(expand_block(kind, arguments, &block.into_token_stream()))
}

/// Expands `#[derive(Group)]` or `#[derive(Event)]` and, as the compiler does, removes the attributes from the type.
fn expand_derive(mut item: Item) -> Vec<Item> {
    let tokens = item.to_token_stream();
    let (Item::Struct(ItemStruct { attrs, .. }) | Item::Enum(ItemEnum { attrs, .. })) = &mut item else {
        unreachable!()
    };
    let is_event = attrs[0].to_token_stream().to_string().contains("Event");
    attrs.clear();
    let generated = parse_items(if is_event { expand_event_type(tokens) } else { expand_group(tokens) });
    [item].into_iter().chain(generated).collect()
}

fn parse_items(tokens: TokenStream) -> Vec<Item> {
    syn::parse2::<syn::File>(tokens).unwrap().items
}
