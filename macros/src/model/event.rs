//! One event: a method that builds the payload that members of a group receive.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::{Attribute, FnArg, ImplItemFn, Member, PatType, Signature, Type, TypeReference};

use super::expression::Expression;
use super::parameter::is_type_named;
use super::{RenameRule, typed_parameters, unraw_name};
use crate::diagnostics::Diagnostics;
use crate::syntax::attribute;
use crate::syntax::event::EventArgs;

/// An `#[event]` method.
pub(crate) struct Event {
    pub(crate) attribute: Attribute,
    pub(crate) method: Ident,
    /// The name of the event in frames.
    pub(crate) name: String,
    /// The name as written, for errors to underline.
    pub(crate) name_tokens: TokenStream,
    pub(crate) cfgs: Vec<Attribute>,
    pub(crate) permission: Option<Expression>,
    /// The field that holds the coalescing key.
    pub(crate) key: Option<Member>,
    /// A key that may be a permission could not be parsed, so that a missing permission is not reported too.
    pub(crate) has_unreadable_permission: bool,
    /// Attributes on parameters that are valid only on parameters of actions.
    pub(crate) misplaced_attributes: Vec<Attribute>,
    pub(crate) signature: Signature,
}

impl Event {
    /// Reads an `#[event]` method and removes the Portcullis attributes from its parameters.
    pub(crate) fn read(
        attribute: Attribute,
        method: &mut ImplItemFn,
        rename_all: RenameRule,
        diagnostics: &mut Diagnostics,
    ) -> Self {
        let arguments = diagnostics.record_partial(EventArgs::read(&attribute));
        let ident = method.sig.ident.clone();
        let (name, name_tokens) = match &arguments.name {
            Some(literal) => (literal.value(), literal.to_token_stream()),
            None => (rename_all.apply(&unraw_name(&ident)), ident.to_token_stream()),
        };
        let typed = method.sig.inputs.iter_mut().filter_map(|input| match input {
            FnArg::Typed(typed) => Some(&mut typed.attrs),
            FnArg::Receiver(_) => None,
        });
        let misplaced_attributes = typed.flat_map(attribute::take_roles).map(|(_, attribute)| attribute).collect();
        Self {
            attribute,
            method: ident,
            name,
            name_tokens,
            cfgs: attribute::cfgs(&method.attrs),
            permission: arguments.permission.map(|syntax| Expression::new(&syntax, diagnostics)),
            key: arguments.key,
            has_unreadable_permission: arguments.has_unreadable_permission,
            misplaced_attributes,
            signature: method.sig.clone(),
        }
    }

    pub(crate) fn has_receiver(&self) -> bool {
        self.signature.receiver().is_some()
    }

    /// Returns the parameters after `&self`.
    pub(crate) fn parameters(&self) -> Vec<&PatType> {
        typed_parameters(&self.signature)
    }

    /// Returns the event's type, the `E` in `event: &E`.
    pub(crate) fn event_type(&self) -> Option<&Type> {
        let first = self.parameters().into_iter().next()?;
        shared_referent(&first.ty).filter(|ty| !is_scope(ty))
    }

    /// Returns the scope parameter. Without one, all subscribers receive the same payload.
    pub(crate) fn scope_parameter(&self) -> Option<&PatType> {
        self.parameters().into_iter().nth(1)
    }

    /// Returns the declared return type.
    pub(crate) fn return_type(&self) -> Option<&Type> {
        super::return_type(&self.signature)
    }
}

/// Returns the `T` in `&T`.
pub(crate) fn shared_referent(ty: &Type) -> Option<&Type> {
    match ty {
        Type::Reference(TypeReference { mutability: None, elem, .. }) => Some(elem),
        Type::Group(group) => shared_referent(&group.elem),
        Type::Paren(paren) => shared_referent(&paren.elem),
        _ => None,
    }
}

/// Returns whether the type is `Scope<…>` or a reference to it.
pub(crate) fn is_scope(ty: &Type) -> bool {
    is_type_named(ty, "Scope")
}
