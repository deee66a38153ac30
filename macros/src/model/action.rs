//! One action: a method that a client may call by name.

use std::time::Duration;

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::{Attribute, ImplItemFn, Signature, Type};

use super::expression::Expression;
use super::object::{Object, ObjectSource};
use super::parameter::{Parameter, ParameterKind, read_parameters};
use super::{RenameRule, unraw_name};
use crate::diagnostics::Diagnostics;
use crate::syntax::action::ActionArgs;
use crate::syntax::attribute;
use crate::syntax::rate::RateSyntax;
pub(crate) use crate::syntax::rate::RateUnit;
use crate::syntax::validate::Validate;

/// An `#[action]` method.
pub(crate) struct Action {
    pub(crate) method: Ident,
    /// The name with which clients call the action.
    pub(crate) name: String,
    /// The name as written, for errors to underline.
    pub(crate) name_tokens: TokenStream,
    pub(crate) cfgs: Vec<Attribute>,
    pub(crate) permission: Option<Expression>,
    /// A key that may be a permission could not be parsed, so that a missing permission is not reported too.
    pub(crate) has_unreadable_permission: bool,
    pub(crate) blocking: Option<Ident>,
    pub(crate) detached: Option<Ident>,
    pub(crate) in_order: Option<Ident>,
    pub(crate) deny_unknown: bool,
    /// The key of `cancel = drop`.
    pub(crate) cancel_drop: Option<Ident>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) rate: Option<ActionRate>,
    pub(crate) validate: Option<Validate>,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) signature: Signature,
}

/// How often one user may call an action.
pub(crate) struct ActionRate {
    pub(crate) count: u32,
    pub(crate) unit: RateUnit,
    pub(crate) burst: u32,
}

impl Action {
    /// Reads an `#[action]` method and removes the Portcullis attributes from its parameters.
    pub(crate) fn read(
        attribute: &Attribute,
        method: &mut ImplItemFn,
        rename_all: RenameRule,
        diagnostics: &mut Diagnostics,
    ) -> Self {
        let arguments = diagnostics.record_partial(ActionArgs::read(attribute));
        let parameters = read_parameters(&mut method.sig, rename_all, diagnostics);
        let ident = method.sig.ident.clone();
        let (name, name_tokens) = match &arguments.name {
            Some(literal) => (literal.value(), literal.to_token_stream()),
            None => (rename_all.apply(&unraw_name(&ident)), ident.to_token_stream()),
        };
        Self {
            method: ident,
            name,
            name_tokens,
            cfgs: attribute::cfgs(&method.attrs),
            permission: arguments.permission.map(|syntax| Expression::new(&syntax, diagnostics)),
            has_unreadable_permission: arguments.has_unreadable_permission,
            blocking: arguments.blocking,
            detached: arguments.detached,
            in_order: arguments.in_order,
            deny_unknown: arguments.deny_unknown.is_some(),
            cancel_drop: arguments.cancel_drop,
            timeout: arguments.timeout,
            rate: arguments.rate.map(|RateSyntax { count, unit }| ActionRate {
                count,
                unit,
                burst: arguments.burst.unwrap_or(count),
            }),
            validate: arguments.validate,
            parameters,
            signature: method.sig.clone(),
        }
    }

    /// Returns the error of an action with `in_order` that returns no stream.
    pub(crate) fn in_order_message(&self) -> String {
        format!(
            "`{}` is `in_order`, which is about the values of a stream, and returns none; remove `in_order`, or return \
             `Streamed<…>`",
            self.method
        )
    }

    pub(crate) fn is_async(&self) -> bool {
        self.signature.asyncness.is_some()
    }

    /// Returns the declared return type.
    pub(crate) fn return_type(&self) -> Option<&Type> {
        super::return_type(&self.signature)
    }

    /// Returns the names of the captures that the parameters read.
    pub(crate) fn captures(&self) -> Vec<&str> {
        let captures = self.parameters.iter().filter_map(|parameter| match &parameter.kind {
            ParameterKind::Capture { name, .. }
            | ParameterKind::Object(Object { source: ObjectSource::Capture { name, .. }, .. }) => Some(name.as_str()),
            _ => None,
        });
        captures.collect()
    }

    /// Returns the top-level message keys that the parameters are read from, without duplicates.
    pub(crate) fn message_keys(&self) -> Vec<String> {
        let mut keys: Vec<String> = Vec::new();
        for key in self.parameters.iter().flat_map(Parameter::message_keys) {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        keys
    }

    /// Returns whether the argument is validated before the action runs.
    pub(crate) fn validates(&self, parameter: &Parameter) -> bool {
        let is_named = |names: &Vec<Ident>| names.iter().any(|name| unraw_name(name) == unraw_name(&parameter.name));
        matches!(parameter.kind, ParameterKind::Key { .. })
            && self.validate.as_ref().is_some_and(|validate| validate.names.as_ref().is_none_or(is_named))
    }

    /// Returns the parameter with this name, and its position.
    pub(crate) fn find_parameter(&self, name: &Ident) -> Option<(usize, &Parameter)> {
        self.parameters.iter().enumerate().find(|(_, parameter)| unraw_name(&parameter.name) == unraw_name(name))
    }
}
