//! What was meant: the block with its actions and routes, each keeping the tokens it came from so that later stages can point at them.

pub(crate) mod action;
pub(crate) mod block;
pub(crate) mod expression;
pub(crate) mod hook;
pub(crate) mod parameter;
pub(crate) mod route;

use proc_macro2::Ident;
use syn::ext::IdentExt;

/// A method's or parameter's name as the wire knows it: without a raw prefix.
pub(crate) fn plain(ident: &Ident) -> String {
    ident.unraw().to_string()
}
