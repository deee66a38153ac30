//! The procedural macros of `portcullis`. The runtime crate re-exports them and holds their documentation.

// This lint is not set for the whole workspace because tests may panic.
#![warn(clippy::unwrap_used)]

mod check;
mod diagnostics;
mod expand;
#[cfg(test)]
mod fuzz_tests;
#[cfg(test)]
mod golden_tests;
mod model;
#[cfg(test)]
mod span_tests;
mod syntax;

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::quote;

use diagnostics::Diagnostics;
use model::Codenames;
use model::block::Block;
use model::event_type::EventType;
use model::group::Group;
use syntax::block::{BlockArgs, BlockKind};
use syntax::method_bodies::{MethodBodies, parsable_items, strip_method_attributes};

/// Turns an impl block into a consumer, the type behind one WebSocket endpoint.
#[proc_macro_attribute]
pub fn consumer(arguments: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    expand_block(BlockKind::Consumer, arguments.into(), &item.into()).into()
}

/// Turns an impl block into a handler, a type that clients reach through a route.
#[proc_macro_attribute]
pub fn handler(arguments: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    expand_block(BlockKind::Handler, arguments.into(), &item.into()).into()
}

/// Declares codenames: `permissions! { chat { can_use_chat = "Can use chat" } }`.
#[proc_macro]
pub fn permissions(tokens: proc_macro::TokenStream) -> proc_macro::TokenStream {
    expand_codenames(tokens.into()).into()
}

/// Implements `Group` for a type whose values name sets of connections.
#[proc_macro_derive(Group, attributes(group))]
pub fn group(item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    expand_group(item.into()).into()
}

/// Returns the items in `#[quoted(…)]`. Generated code uses it for the names in a quoted permission expression.
#[doc(hidden)]
#[proc_macro_derive(QuotedPermission, attributes(quoted))]
pub fn quoted_permission(item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    expand::quoted_items(&syn::parse_macro_input!(item)).into()
}

/// Implements `Event` for a type that can be published.
#[proc_macro_derive(Event, attributes(event))]
pub fn event_type(item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    expand_event_type(item.into()).into()
}

/// Defines the method attributes. The attribute of the surrounding block reads and removes them, so that each of these
/// macros runs only if that attribute is missing, and reports it.
macro_rules! method_attributes {
    ($($name:ident)+) => {
        $(
            /// Marks a method of a `#[consumer]` or `#[handler]` block, whose attribute reads it.
            #[proc_macro_attribute]
            pub fn $name(_: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
                expand_misplaced_attribute(stringify!($name), &item.into()).into()
            }
        )+
    };
}

method_attributes! { action route event connect disconnect gap authenticate }

/// Expands `#[consumer]` or `#[handler]`: parses the block, checks it and generates its code. If there are errors, returns
/// the block with stub implementations and the errors.
fn expand_block(kind: BlockKind, arguments: TokenStream, tokens: &TokenStream) -> TokenStream {
    let (without_bodies, bodies) = MethodBodies::take(tokens);
    let mut item = match syntax::block::parse_impl_block(kind, &without_bodies) {
        Ok(item) => item,
        Err(Some(error)) => return append_errors(&strip_method_attributes(tokens), &error),
        Err(None) => return expand_unparsable_block(kind, arguments, tokens, &without_bodies),
    };
    let mut diagnostics = Diagnostics::new();
    let arguments = diagnostics.record_partial(BlockArgs::read(kind, arguments));
    let block = Block::read(kind, arguments, &mut item, &mut diagnostics);
    check::block(&block, &mut diagnostics);
    bodies.restore(match diagnostics.finish() {
        Ok(()) => expand::block(&block, &item),
        Err(error) => append_errors(&expand::fallback(&block, &item), &error),
    })
}

/// Expands a block with a syntax error, which the compiler has reported: returns the block with stub implementations, so that
/// no other use of its type is an error.
fn expand_unparsable_block(
    kind: BlockKind,
    arguments: TokenStream,
    tokens: &TokenStream,
    without_bodies: &TokenStream,
) -> TokenStream {
    let item = strip_method_attributes(tokens);
    let parsable = parsable_items(without_bodies).and_then(|block| syntax::block::parse_impl_block(kind, &block).ok());
    let Some(mut parsable) = parsable else { return item };
    let mut unreported = Diagnostics::new();
    let arguments = unreported.record_partial(BlockArgs::read(kind, arguments));
    let impls = expand::fallback_impls(&Block::read(kind, arguments, &mut parsable, &mut unreported));
    // Other mistakes are reported when the block can be parsed.
    drop(unreported.finish());
    quote!(#item #impls)
}

/// Expands `permissions!`.
fn expand_codenames(tokens: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::new();
    let items = expand::codenames(&diagnostics.record_partial(Codenames::read(tokens)));
    match diagnostics.finish() {
        Ok(()) => items,
        Err(error) => append_errors(&items, &error),
    }
}

/// Expands `#[derive(Group)]`.
fn expand_group(item: TokenStream) -> TokenStream {
    let input = match syn::parse2(item) {
        Ok(input) => input,
        Err(error) => return error.to_compile_error(),
    };
    let mut diagnostics = Diagnostics::new();
    let group = Group::read(&input, &mut diagnostics);
    check::group(&group, &mut diagnostics);
    match diagnostics.finish() {
        Ok(()) => expand::group(&group),
        Err(error) => append_errors(&expand::group_fallback(&group), &error),
    }
}

/// Expands `#[derive(Event)]`.
fn expand_event_type(item: TokenStream) -> TokenStream {
    let input = match syn::parse2(item) {
        Ok(input) => input,
        Err(error) => return error.to_compile_error(),
    };
    let mut diagnostics = Diagnostics::new();
    let event = EventType::read(&input, &mut diagnostics);
    check::event_type(&event, &mut diagnostics);
    match diagnostics.finish() {
        Ok(()) => expand::event_type(&event),
        Err(error) => append_errors(&expand::event_type_fallback(&event), &error),
    }
}

fn append_errors(tokens: &TokenStream, error: &syn::Error) -> TokenStream {
    let errors = error.to_compile_error();
    quote!(#tokens #errors)
}

fn expand_misplaced_attribute(name: &str, item: &TokenStream) -> TokenStream {
    let consumers = name.ends_with("connect") || matches!(name, "event" | "authenticate");
    let block = if consumers { "`#[consumer]`" } else { "`#[consumer]` or `#[handler]`" };
    let message = if name == "event" && is_type(item) {
        "`#[event(…)]` on a type is an attribute of `#[derive(Event)]`; write that above it".to_owned()
    } else {
        format!("`#[{name}]` has no effect outside of a Portcullis block; put {block} on the impl block around it")
    };
    append_errors(item, &syn::Error::new(Span::call_site(), message))
}

/// Returns whether the item defines a type.
fn is_type(item: &TokenStream) -> bool {
    let is_keyword = |ident: &Ident| ident == "struct" || ident == "enum" || ident == "union";
    item.clone().into_iter().any(|token| matches!(token, TokenTree::Ident(ident) if is_keyword(&ident)))
}

#[cfg(test)]
mod tests {
    use super::{BlockKind, expand_block, expand_event_type, expand_group, expand_misplaced_attribute};
    use quote::quote;

    /// Returns the number of errors in the output.
    fn count_errors(tokens: &proc_macro2::TokenStream) -> usize {
        tokens.to_string().matches("compile_error !").count()
    }

    #[test]
    fn block_with_malformed_attributes_is_returned_with_errors() {
        for malformed in [
            "=",
            ",",
            ", ,",
            "\"text\"",
            "permission",
            "permission =",
            "permission = =",
            "permission = A &",
            "permission = A B C",
            "permission = (A, B)",
            "permission = \"(\"",
            "permission = \"'\"",
            "permission = r#\"A(\"\u{1F600}\")\"#",
            "permission = A<",
            "name = \"\", name = \"\"",
            "name = 5 5 5, blocking blocking",
            "user = , connect = , crate = ,",
            "crate = \"\"",
            "{ } [ ]",
            "key = , key",
            "detached = detached",
            "timeout = timeout = 5",
            "rate = rate = 5",
            "burst = burst burst",
            "in_order = in_order in_order",
        ] {
            let malformed: proc_macro2::TokenStream = malformed.parse().unwrap();
            for kind in [BlockKind::Consumer, BlockKind::Handler] {
                let block = quote! {
                    impl Chat {
                        #[action(#malformed)]
                        fn first(&self) {}
                        #[route(#malformed)]
                        fn second(&self) -> &Rooms { &self.rooms }
                        #[event(#malformed)]
                        fn seen(&self, #[path(#malformed)] wrong: &u8) -> u8 {}
                        #[connect(#malformed)]
                        fn third(&self, #[path(#malformed)] wrong: u8) {}
                        #[authenticate(#malformed)]
                        fn fourth(&self, #[path(#malformed)] wrong: u8) {}
                    }
                };
                let output = expand_block(kind, malformed.clone(), &block);
                let file: syn::File = syn::parse2(output.clone()).unwrap();
                let syn::Item::Impl(returned) = &file.items[0] else {
                    panic!("{malformed}: the first item is not the impl block")
                };
                assert_eq!(returned.items.len(), 5, "{malformed}");
                assert!(count_errors(&output) >= 5, "{malformed}: {} errors", count_errors(&output));
            }
        }
    }

    #[test]
    fn group_with_malformed_attributes_reports_errors() {
        for malformed in [
            "=",
            ", ,",
            "consumer = , permission =",
            "events(), consumer",
            "events(,)",
            "permission = A &",
            "{ }",
            "public_name = \"{\"",
            "public_name = { }",
            "history",
            "history(,)",
            "history(events, age, since)",
            "history(events = , age = , since = )",
            "history(since = |) = { }",
        ] {
            let malformed: proc_macro2::TokenStream = malformed.parse().unwrap();
            for item in [
                quote!(
                    struct Room;
                ),
                quote!(
                    enum Room {
                        #[group(#malformed)]
                        A(u8),
                    }
                ),
                quote!(union Room<T> { room: T }),
            ] {
                let output = expand_group(quote!(#[group(#malformed)] #item));
                syn::parse2::<syn::File>(output.clone()).unwrap();
                assert!(count_errors(&output) >= 1, "{malformed}");
            }
        }
        assert_eq!(
            count_errors(&expand_group(quote!(
                fn room() {}
            ))),
            1
        );
    }

    #[test]
    fn event_type_with_malformed_attributes_reports_errors() {
        for malformed in ["=", ", ,", "name = , local", "local local", "{ }", "crate = 5"] {
            let malformed: proc_macro2::TokenStream = malformed.parse().unwrap();
            for item in [
                quote!(
                    struct Said;
                ),
                quote!(
                    enum Said<'a, T> {
                        A(&'a T),
                    }
                ),
                quote!(union Said { a: u8 }),
            ] {
                let output = expand_event_type(quote!(#[event(#malformed)] #item));
                syn::parse2::<syn::File>(output.clone()).unwrap();
                assert!(count_errors(&output) >= 1, "{malformed}");
            }
        }
    }

    #[test]
    fn item_without_inherent_impl_is_returned_with_one_error() {
        for item in [
            quote!(
                struct Chat;
            ),
            quote!(impl Clone for Chat {}),
            quote!(
                fn chat() {}
            ),
        ] {
            let output = expand_block(BlockKind::Consumer, quote!(user = 5, nonsense), &item);
            assert!(output.to_string().starts_with(&item.to_string()));
            assert_eq!(count_errors(&output), 1, "{item}");
        }
    }

    #[test]
    fn block_with_a_syntax_error_is_returned_without_an_error() {
        let output = expand_block(
            BlockKind::Consumer,
            quote!(),
            &quote!(
                impl Chat {
                    #[action]
                    fn ping(&self, text:) {}
                }
            ),
        );
        let output = output.to_string();
        let item = "impl Chat { # [cfg (all ())] fn ping (& self , text :) { } }";
        assert!(output.starts_with(item) && output.contains("Consumer for Chat"), "{output}");
        assert!(!output.contains("compile_error"), "{output}");
    }

    #[test]
    fn method_attribute_outside_a_block_is_returned_with_one_error() {
        let item = quote!(
            async fn ping(&self) {}
        );
        let output = expand_misplaced_attribute("action", &item);
        assert!(output.to_string().starts_with(&item.to_string()));
        assert_eq!(count_errors(&output), 1);
    }
}
