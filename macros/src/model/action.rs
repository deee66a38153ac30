//! One action: a method that a client may call by name.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::{Attribute, ImplItemFn, Signature, Type};

use super::expression::Expression;
use super::object::{Object, ObjectSource};
use super::parameter::{Parameter, ParameterKind, read_parameters};
use super::unraw_name;
use crate::diagnostics::Diagnostics;
use crate::syntax::action::ActionArgs;
use crate::syntax::attribute;

pub(crate) struct Action {
    pub(crate) method: Ident,
    /// As the client calls it.
    pub(crate) name: String,
    /// Where the name was written.
    pub(crate) name_tokens: TokenStream,
    pub(crate) cfgs: Vec<Attribute>,
    pub(crate) permission: Option<Expression>,
    /// Something could not be read, and it may have been a permission: that error is enough.
    pub(crate) has_unreadable_permission: bool,
    pub(crate) blocking: Option<Ident>,
    pub(crate) detached: bool,
    pub(crate) deny_unknown: bool,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) signature: Signature,
}

impl Action {
    /// Reads a method marked as an action and takes our attributes off its parameters.
    pub(crate) fn read(mark: &Attribute, method: &mut ImplItemFn, diagnostics: &mut Diagnostics) -> Self {
        let arguments = diagnostics.record_partial(ActionArgs::read(mark));
        let parameters = read_parameters(&mut method.sig, diagnostics);
        let ident = method.sig.ident.clone();
        let (name, name_tokens) = match &arguments.name {
            Some(literal) => (literal.value(), literal.to_token_stream()),
            None => (unraw_name(&ident), ident.to_token_stream()),
        };
        Self {
            method: ident,
            name,
            name_tokens,
            cfgs: attribute::cfgs(&method.attrs),
            permission: arguments.permission.map(|written| Expression::new(&written, diagnostics)),
            has_unreadable_permission: arguments.has_unreadable_permission,
            blocking: arguments.blocking,
            detached: arguments.detached.is_some(),
            deny_unknown: arguments.deny_unknown.is_some(),
            parameters,
            signature: method.sig.clone(),
        }
    }

    pub(crate) fn is_async(&self) -> bool {
        self.signature.asyncness.is_some()
    }

    /// The written return type.
    pub(crate) fn return_type(&self) -> Option<&Type> {
        super::return_type(&self.signature)
    }

    /// The captures that its parameters take.
    pub(crate) fn captures(&self) -> Vec<&str> {
        let captures = self.parameters.iter().filter_map(|parameter| match &parameter.kind {
            ParameterKind::Capture { name, .. }
            | ParameterKind::Object(Object { source: ObjectSource::Capture { name, .. }, .. }) => Some(name.as_str()),
            _ => None,
        });
        captures.collect()
    }

    /// The top-level keys of the message that its parameters are read from, each once.
    pub(crate) fn message_keys(&self) -> Vec<String> {
        let mut keys: Vec<String> = Vec::new();
        for key in self.parameters.iter().flat_map(Parameter::message_keys) {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        keys
    }

    /// The parameter of that name, with its position.
    pub(crate) fn find_parameter(&self, name: &Ident) -> Option<(usize, &Parameter)> {
        self.parameters.iter().enumerate().find(|(_, parameter)| unraw_name(&parameter.name) == unraw_name(name))
    }
}
