//! What was meant: the block with its actions, routes and events, or the group, each keeping the tokens it came from so that
//! later stages can point at them.

pub(crate) mod action;
pub(crate) mod authenticate;
pub(crate) mod block;
pub(crate) mod event;
pub(crate) mod expression;
pub(crate) mod group;
pub(crate) mod hook;
pub(crate) mod object;
pub(crate) mod parameter;
pub(crate) mod route;

use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::{FnArg, PatType, ReturnType, Signature, Type};

// What is meant just as it is written; the later stages know it from here.
pub(crate) use crate::syntax::attribute::{MethodKind, Role, cfgs};
pub(crate) use crate::syntax::block::BlockKind;
pub(crate) use crate::syntax::codenames::{Codename, CodenameGroup, Codenames};
pub(crate) use crate::syntax::leaf::Leaf;
pub(crate) use crate::syntax::pattern::{Pattern, Segment};
pub(crate) use crate::syntax::public_name::PublicNamePart;
pub(crate) use crate::syntax::token_string::{print, respan};

/// A method's or parameter's name as the wire knows it: without a raw prefix.
pub(crate) fn unraw_name(ident: &Ident) -> String {
    ident.unraw().to_string()
}

/// The parameters after `&self`.
fn typed_parameters(signature: &Signature) -> Vec<&PatType> {
    let typed = signature.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(typed) => Some(typed),
        FnArg::Receiver(_) => None,
    });
    typed.collect()
}

/// The written return type.
fn return_type(signature: &Signature) -> Option<&Type> {
    match &signature.output {
        ReturnType::Default => None,
        ReturnType::Type(_, ty) => Some(ty),
    }
}
