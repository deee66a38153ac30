//! One event: a method that makes what members get to see.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::{Attribute, FnArg, ImplItemFn, Member, PatType, Signature, Type, TypeReference};

use super::expression::Expression;
use super::parameter::is_type_named;
use super::{typed_parameters, unraw_name};
use crate::diagnostics::Diagnostics;
use crate::syntax::attribute;
use crate::syntax::event::EventArgs;

pub(crate) struct Event {
    pub(crate) attribute: Attribute,
    pub(crate) method: Ident,
    /// As frames call it.
    pub(crate) name: String,
    /// Where the name was written.
    pub(crate) name_tokens: TokenStream,
    pub(crate) cfgs: Vec<Attribute>,
    pub(crate) permission: Option<Expression>,
    /// The field that says what it is about.
    pub(crate) key: Option<Member>,
    /// Something could not be read, and it may have been a permission: that error is enough.
    pub(crate) has_unreadable_permission: bool,
    /// Attributes that stand on parameters of actions only.
    pub(crate) misplaced: Vec<Attribute>,
    pub(crate) signature: Signature,
}

impl Event {
    /// Reads a method marked as an event and takes our attributes off its parameters.
    pub(crate) fn read(attribute: Attribute, method: &mut ImplItemFn, diagnostics: &mut Diagnostics) -> Self {
        let arguments = diagnostics.record_partial(EventArgs::read(&attribute));
        let ident = method.sig.ident.clone();
        let (name, name_tokens) = match &arguments.name {
            Some(literal) => (literal.value(), literal.to_token_stream()),
            None => (unraw_name(&ident), ident.to_token_stream()),
        };
        let typed = method.sig.inputs.iter_mut().filter_map(|input| match input {
            FnArg::Typed(typed) => Some(&mut typed.attrs),
            FnArg::Receiver(_) => None,
        });
        let misplaced = typed.flat_map(attribute::take_roles).map(|(_, attribute)| attribute).collect();
        Self {
            attribute,
            method: ident,
            name,
            name_tokens,
            cfgs: attribute::cfgs(&method.attrs),
            permission: arguments.permission.map(|written| Expression::new(&written, diagnostics)),
            key: arguments.key,
            has_unreadable_permission: arguments.has_unreadable_permission,
            misplaced,
            signature: method.sig.clone(),
        }
    }

    /// Its parameters after `&self`.
    pub(crate) fn parameters(&self) -> Vec<&PatType> {
        typed_parameters(&self.signature)
    }

    /// The event's type: the `E` of `event: &E`.
    pub(crate) fn event_type(&self) -> Option<&Type> {
        let first = self.parameters().into_iter().next()?;
        shared_referent(&first.ty).filter(|ty| !is_scope(ty))
    }

    /// The parameter that says for whom it is made; without it, all get the same.
    pub(crate) fn scope_parameter(&self) -> Option<&PatType> {
        self.parameters().into_iter().nth(1)
    }

    /// The written return type.
    pub(crate) fn return_type(&self) -> Option<&Type> {
        super::return_type(&self.signature)
    }
}

/// The `T` of `&T`.
pub(crate) fn shared_referent(ty: &Type) -> Option<&Type> {
    match ty {
        Type::Reference(TypeReference { mutability: None, elem, .. }) => Some(elem),
        Type::Group(group) => shared_referent(&group.elem),
        Type::Paren(paren) => shared_referent(&paren.elem),
        _ => None,
    }
}

/// Is it `Scope<…>`, or a reference to it?
pub(crate) fn is_scope(ty: &Type) -> bool {
    is_type_named(ty, "Scope")
}
