//! What was meant: the block with its actions and routes, each keeping the tokens it came from so that later stages can
//! point at them.

pub(crate) mod action;
pub(crate) mod block;
pub(crate) mod expression;
pub(crate) mod hook;
pub(crate) mod object;
pub(crate) mod parameter;
pub(crate) mod route;

use proc_macro2::Ident;
use syn::ext::IdentExt;

// What is meant just as it is written; the later stages know it from here.
pub(crate) use crate::syntax::attribute::{Mark, Role, cfgs};
pub(crate) use crate::syntax::block::Kind;
pub(crate) use crate::syntax::codenames::{Codename, Codenames, Group};
pub(crate) use crate::syntax::leaf::Leaf;
pub(crate) use crate::syntax::pattern::{Pattern, Segment};
pub(crate) use crate::syntax::quoted::respan;

/// A method's or parameter's name as the wire knows it: without a raw prefix.
pub(crate) fn plain(ident: &Ident) -> String {
    ident.unraw().to_string()
}
