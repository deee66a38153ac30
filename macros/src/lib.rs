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
use syntax::block::{Arguments, Kind};

/// A type behind one WebSocket endpoint.
#[proc_macro_attribute]
pub fn consumer(arguments: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    pipeline(Kind::Consumer, arguments.into(), &item.into()).into()
}

/// A type that is reached under a route.
#[proc_macro_attribute]
pub fn handler(arguments: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    pipeline(Kind::Handler, arguments.into(), &item.into()).into()
}

/// Declares codenames: `permissions! { chat { can_use_chat = "Can use chat" } }`.
#[proc_macro]
pub fn permissions(tokens: proc_macro::TokenStream) -> proc_macro::TokenStream {
    declared(tokens.into()).into()
}

/// A type whose values name sets of connections.
#[proc_macro_derive(Group, attributes(group))]
pub fn group(item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    grouped(item.into()).into()
}

/// The attributes of methods, seen by the block around them; on their own they only say so.
macro_rules! inner {
    ($($name:ident)+) => {
        $(
            /// Marks a method of a block; the block's own attribute reads it.
            #[proc_macro_attribute]
            pub fn $name(_: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
                outside(stringify!($name), &item.into()).into()
            }
        )+
    };
}

inner! { action route event connect disconnect authenticate }

/// From what stands in the source to what the compiler goes on with.
fn pipeline(kind: Kind, arguments: TokenStream, tokens: &TokenStream) -> TokenStream {
    let mut item = match syntax::block::item(kind, tokens) {
        Ok(item) => item,
        Err(error) => return with_errors(tokens, &error),
    };
    let mut diagnostics = Diagnostics::new();
    let arguments = diagnostics.read(Arguments::read(kind, arguments));
    let block = Block::read(kind, arguments, &mut item, &mut diagnostics);
    check::block(&block, &mut diagnostics);
    match diagnostics.finish() {
        Ok(()) => expand::block(&block, &item),
        Err(error) => with_errors(&expand::fallback(&block, &item), &error),
    }
}

/// The codenames that stand in the source, declared.
fn declared(tokens: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::new();
    let items = expand::codenames(&diagnostics.read(Codenames::read(tokens)));
    match diagnostics.finish() {
        Ok(()) => items,
        Err(error) => with_errors(&items, &error),
    }
}

/// What a group's type gets beside itself.
fn grouped(item: TokenStream) -> TokenStream {
    let input = match syn::parse2(item) {
        Ok(input) => input,
        Err(error) => return error.to_compile_error(),
    };
    let mut diagnostics = Diagnostics::new();
    let group = Group::read(&input, &mut diagnostics);
    check::group(&group, &mut diagnostics);
    match diagnostics.finish() {
        Ok(()) => expand::group(&group),
        Err(error) => with_errors(&expand::group_fallback(&group), &error),
    }
}

fn with_errors(tokens: &TokenStream, error: &syn::Error) -> TokenStream {
    let errors = error.to_compile_error();
    quote!(#tokens #errors)
}

fn outside(name: &str, item: &TokenStream) -> TokenStream {
    let consumers = name.ends_with("connect") || matches!(name, "event" | "authenticate");
    let block = if consumers { "`#[consumer]`" } else { "`#[consumer]` or `#[handler]`" };
    let message = format!("`#[{name}]` means nothing by itself; put {block} on the impl block around it");
    with_errors(item, &syn::Error::new(Span::call_site(), message))
}

#[cfg(test)]
mod tests {
    use super::{Kind, grouped, outside, pipeline};
    use quote::quote;

    /// All errors in the output.
    fn errors(tokens: &proc_macro2::TokenStream) -> usize {
        tokens.to_string().matches("compile_error !").count()
    }

    #[test]
    fn whatever_stands_in_the_attributes_the_block_comes_back() {
        for odd in [
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
            let odd: proc_macro2::TokenStream = odd.parse().unwrap();
            for kind in [Kind::Consumer, Kind::Handler] {
                let block = quote! {
                    impl Chat {
                        #[action(#odd)]
                        fn first(&self) {}
                        #[route(#odd)]
                        fn second(&self) -> &Rooms { &self.rooms }
                        #[event(#odd)]
                        fn seen(&self, #[path(#odd)] wrong: &u8) -> u8 {}
                        #[connect(#odd)]
                        fn third(&self, #[path(#odd)] wrong: u8) {}
                        #[authenticate(#odd)]
                        fn fourth(&self, #[path(#odd)] wrong: u8) {}
                    }
                };
                let out = pipeline(kind, odd.clone(), &block);
                let file: syn::File = syn::parse2(out.clone()).unwrap();
                let syn::Item::Impl(back) = &file.items[0] else { panic!("{odd}: no impl block first") };
                assert_eq!(back.items.len(), 5, "{odd}");
                assert!(errors(&out) >= 5, "{odd}: {} errors", errors(&out));
            }
        }
    }

    #[test]
    fn whatever_stands_in_the_attributes_of_a_group_its_errors_are_told() {
        for odd in [
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
            let odd: proc_macro2::TokenStream = odd.parse().unwrap();
            for item in [
                quote!(
                    struct Room;
                ),
                quote!(
                    enum Room {
                        #[group(#odd)]
                        A(u8),
                    }
                ),
                quote!(union Room<T> { room: T }),
            ] {
                let out = grouped(quote!(#[group(#odd)] #item));
                syn::parse2::<syn::File>(out.clone()).unwrap();
                assert!(errors(&out) >= 1, "{odd}");
            }
        }
        assert_eq!(
            errors(&grouped(quote!(
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
            let out = pipeline(Kind::Consumer, quote!(user = 5, nonsense), &item);
            assert!(out.to_string().starts_with(&item.to_string()));
            assert_eq!(errors(&out), 1, "{item}");
        }
    }

    #[test]
    fn an_inner_attribute_alone_leaves_its_item_and_one_error() {
        let item = quote!(
            async fn ping(&self) {}
        );
        let out = outside("action", &item);
        assert!(out.to_string().starts_with(&item.to_string()));
        assert_eq!(errors(&out), 1);
    }
}
