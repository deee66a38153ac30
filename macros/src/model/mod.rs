//! The model of a block with its actions, routes and events, of a group, and of a type of events. Each keeps the tokens
//! that it was read from, so that errors of later stages can underline them.

pub(crate) mod action;
pub(crate) mod authenticate;
pub(crate) mod block;
pub(crate) mod event;
pub(crate) mod event_type;
pub(crate) mod expression;
pub(crate) mod group;
mod helper_attribute;
pub(crate) mod hook;
pub(crate) mod object;
pub(crate) mod parameter;
pub(crate) mod route;
pub(crate) mod type_body;

use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::{FnArg, PatType, ReturnType, Signature, Type};

// Syntax types that need no model of their own. `check` and `expand` import them from here and not from `syntax`.
pub(crate) use crate::syntax::attribute::{MethodKind, Role, cfgs};
pub(crate) use crate::syntax::block::BlockKind;
pub(crate) use crate::syntax::codenames::{Codename, CodenameGroup, Codenames};
pub(crate) use crate::syntax::history::{History, Since};
pub(crate) use crate::syntax::leaf::Leaf;
pub(crate) use crate::syntax::leaf_argument::replace_placeholders;
pub(crate) use crate::syntax::pattern::{Pattern, Segment};
pub(crate) use crate::syntax::public_name::PublicNamePart;
pub(crate) use crate::syntax::rename_rule::RenameRule;
pub(crate) use crate::syntax::token_string::{print, respan};

/// Returns the name of a method or parameter in messages: the identifier without its raw prefix.
pub(crate) fn unraw_name(ident: &Ident) -> String {
    ident.unraw().to_string()
}

/// Returns the `T` in `Option<T>`.
pub(crate) fn option_argument(ty: &Type) -> Option<&Type> {
    object::single_type_argument_of(ty, "Option")
}

/// Returns the parameters after `&self`.
fn typed_parameters(signature: &Signature) -> Vec<&PatType> {
    let typed = signature.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(typed) => Some(typed),
        FnArg::Receiver(_) => None,
    });
    typed.collect()
}

/// Returns the declared return type, or `None` if the method declares none.
fn return_type(signature: &Signature) -> Option<&Type> {
    match &signature.output {
        ReturnType::Default => None,
        ReturnType::Type(_, ty) => Some(ty),
    }
}
