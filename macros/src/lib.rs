//! The macros of portcullis. Their documentation stands where the runtime crate re-exports them.

// Not for the whole workspace: a test is right to panic.
#![warn(clippy::unwrap_used)]

mod check;
mod diagnostics;
mod expand;
#[cfg(test)]
mod golden;
mod model;
mod syntax;

use proc_macro2::{Span, TokenStream};
use quote::quote;

use diagnostics::Diagnostics;
use model::Codenames;
use model::block::Block;
use model::group::Group;
use syntax::block::{BlockArgs, BlockKind};

/// A type behind one WebSocket endpoint.
#[proc_macro_attribute]
pub fn consumer(arguments: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    expand_block(BlockKind::Consumer, arguments.into(), &item.into()).into()
}

/// A type that is reached under a route.
#[proc_macro_attribute]
pub fn handler(arguments: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    expand_block(BlockKind::Handler, arguments.into(), &item.into()).into()
}

/// Declares codenames: `permissions! { chat { can_use_chat = "Can use chat" } }`.
#[proc_macro]
pub fn permissions(tokens: proc_macro::TokenStream) -> proc_macro::TokenStream {
    expand_codenames(tokens.into()).into()
}

/// A type whose values name sets of connections.
#[proc_macro_derive(Group, attributes(group))]
pub fn group(item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    expand_group(item.into()).into()
}

/// The attributes of methods, seen by the block around them; on their own they only say so.
macro_rules! method_attributes {
    ($($name:ident)+) => {
        $(
            /// Marks a method of a block; the block's own attribute reads it.
            #[proc_macro_attribute]
            pub fn $name(_: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
                expand_misplaced_attribute(stringify!($name), &item.into()).into()
            }
        )+
    };
}

method_attributes! { action route event connect disconnect authenticate }

/// From what stands in the source to what the compiler goes on with.
fn expand_block(kind: BlockKind, arguments: TokenStream, tokens: &TokenStream) -> TokenStream {
    let mut item = match syntax::block::parse_impl_block(kind, tokens) {
        Ok(item) => item,
        Err(error) => return append_errors(tokens, &error),
    };
    let mut diagnostics = Diagnostics::new();
    let arguments = diagnostics.record_partial(BlockArgs::read(kind, arguments));
    let block = Block::read(kind, arguments, &mut item, &mut diagnostics);
    check::block(&block, &mut diagnostics);
    match diagnostics.finish() {
        Ok(()) => expand::block(&block, &item),
        Err(error) => append_errors(&expand::fallback(&block, &item), &error),
    }
}

/// The codenames that stand in the source, declared.
fn expand_codenames(tokens: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::new();
    let items = expand::codenames(&diagnostics.record_partial(Codenames::read(tokens)));
    match diagnostics.finish() {
        Ok(()) => items,
        Err(error) => append_errors(&items, &error),
    }
}

/// What a group's type gets beside itself.
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

fn append_errors(tokens: &TokenStream, error: &syn::Error) -> TokenStream {
    let errors = error.to_compile_error();
    quote!(#tokens #errors)
}

fn expand_misplaced_attribute(name: &str, item: &TokenStream) -> TokenStream {
    let consumers = name.ends_with("connect") || matches!(name, "event" | "authenticate");
    let block = if consumers { "`#[consumer]`" } else { "`#[consumer]` or `#[handler]`" };
    let message = format!("`#[{name}]` means nothing by itself; put {block} on the impl block around it");
    append_errors(item, &syn::Error::new(Span::call_site(), message))
}

#[cfg(test)]
mod tests {
    use super::{BlockKind, expand_block, expand_group, expand_misplaced_attribute};
    use quote::quote;

    /// All errors in the output.
    fn errors(tokens: &proc_macro2::TokenStream) -> usize {
        tokens.to_string().matches("compile_error !").count()
    }

    #[test]
    fn whatever_stands_in_the_attributes_the_block_comes_back() {
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
                let out = expand_block(kind, malformed.clone(), &block);
                let file: syn::File = syn::parse2(out.clone()).unwrap();
                let syn::Item::Impl(back) = &file.items[0] else { panic!("{malformed}: no impl block first") };
                assert_eq!(back.items.len(), 5, "{malformed}");
                assert!(errors(&out) >= 5, "{malformed}: {} errors", errors(&out));
            }
        }
    }

    #[test]
    fn whatever_stands_in_the_attributes_of_a_group_its_errors_are_told() {
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
                let out = expand_group(quote!(#[group(#malformed)] #item));
                syn::parse2::<syn::File>(out.clone()).unwrap();
                assert!(errors(&out) >= 1, "{malformed}");
            }
        }
        assert_eq!(
            errors(&expand_group(quote!(
                fn room() {}
            ))),
            1
        );
    }

    #[test]
    fn an_item_that_is_no_impl_block_comes_back_with_one_error() {
        for item in [
            quote!(
                struct Chat;
            ),
            quote!(impl Clone for Chat {}),
            quote!(
                fn chat() {}
            ),
        ] {
            let out = expand_block(BlockKind::Consumer, quote!(user = 5, nonsense), &item);
            assert!(out.to_string().starts_with(&item.to_string()));
            assert_eq!(errors(&out), 1, "{item}");
        }
    }

    #[test]
    fn an_inner_attribute_alone_leaves_its_item_and_one_error() {
        let item = quote!(
            async fn ping(&self) {}
        );
        let out = expand_misplaced_attribute("action", &item);
        assert!(out.to_string().starts_with(&item.to_string()));
        assert_eq!(errors(&out), 1);
    }
}
