//! The attributes of portcullis. Their documentation stands where the runtime crate re-exports them.

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
use model::block::Block;
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

inner! { action route connect disconnect }

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

fn with_errors(tokens: &TokenStream, error: &syn::Error) -> TokenStream {
    let errors = error.to_compile_error();
    quote!(#tokens #errors)
}

fn outside(name: &str, item: &TokenStream) -> TokenStream {
    let message =
        format!("`#[{name}]` means nothing by itself; put `#[consumer]` or `#[handler]` on the impl block around it");
    with_errors(item, &syn::Error::new(Span::call_site(), message))
}
