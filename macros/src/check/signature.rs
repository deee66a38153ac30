//! Checks of one signature: that of an action, and the rules for every method that generated code calls. Its parameters are
//! checked in `parameter`.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::{FnArg, GenericArgument, GenericParam, PathArguments, Receiver, ReceiverKind, Safety, Signature, Type};

use super::{object_parameter, parameter};
use crate::diagnostics::Diagnostics;
use crate::model;
use crate::model::action::Action;
use crate::model::block::Block;
use crate::model::object::ObjectSource;
use crate::model::parameter::{ParameterKind, is_type_named};

pub(super) fn check(action: &Action, block: &Block, diagnostics: &mut Diagnostics) {
    check_client_method(&action.signature, diagnostics);
    parameter::check_parameters(&action.parameters, diagnostics);
    for parameter in &action.parameters {
        match &parameter.kind {
            ParameterKind::Context => parameter::check_context(parameter, diagnostics),
            ParameterKind::Capture { name, span } => {
                parameter::check_capture(parameter, diagnostics);
                parameter::check_capture_available(name, *span, action, block, diagnostics);
            }
            ParameterKind::Extract => parameter::check_extract(parameter, diagnostics),
            ParameterKind::Key { .. } => parameter::check_argument(parameter, block, diagnostics),
            ParameterKind::Object(object) => {
                object_parameter::check(parameter, object, diagnostics);
                if let ObjectSource::Capture { name, span } = &object.source {
                    parameter::check_capture_available(name, *span, action, block, diagnostics);
                }
            }
        }
        parameter::check_attributes(parameter, diagnostics);
    }
    if let Some(ty) = action.return_type() {
        check_status_order(ty, diagnostics);
    }
    check_nested_result(action, diagnostics);
    if let Some(blocking) = action.blocking.as_ref().filter(|_| action.is_async()) {
        let message = "`blocking` applies only to a method without `async`; remove `blocking` or `async`";
        diagnostics.error(blocking, message);
    }
    if let Some(detached) = action.detached.as_ref().filter(|_| !action.is_async() && action.blocking.is_none()) {
        let message = format!(
            "`{}` is `detached` but not `async`, so it would block a thread of the runtime; write `blocking, detached`, or \
             make the method `async`",
            action.method
        );
        diagnostics.error(detached, message);
    }
    if let Some(in_order) = &action.in_order {
        check_in_order(action, in_order, diagnostics);
    }
    if let Some(cancel) = action.cancel_drop.as_ref().filter(|_| !action.is_async()) {
        let message = format!(
            "`{}` is not `async`, so it has no `.await` at which it could be dropped; remove `cancel = drop`, or make the \
             method `async`",
            action.method
        );
        diagnostics.error(cancel, message);
    }
}

/// Rejects `in_order` where it contradicts `detached`, and where there is no stream. Of a return type, only the type checker
/// knows whether it is one.
fn check_in_order(action: &Action, in_order: &Ident, diagnostics: &mut Diagnostics) {
    if action.detached.is_some() {
        let message = format!(
            "`{}` is `detached`, so the values of its stream are too; remove `in_order` or `detached`",
            action.method
        );
        diagnostics.error(in_order, message);
    } else if action.return_type().is_none() {
        diagnostics.error(in_order, action.in_order_message());
    }
}

/// Rejects `(StatusCode, T)`, the order that axum has.
fn check_status_order(ty: &Type, diagnostics: &mut Diagnostics) {
    match ty {
        Type::Tuple(tuple) if tuple.elems.len() == 2 && is_type_named(&tuple.elems[0], "StatusCode") => {
            let data = model::print(tuple.elems[1].to_token_stream());
            diagnostics.error(ty, format!("the status of a reply comes after its data; write `({data}, StatusCode)`"));
        }
        Type::Path(path) => {
            let Some(last) = path.path.segments.last().filter(|last| last.ident == "Result") else { return };
            let PathArguments::AngleBracketed(arguments) = &last.arguments else { return };
            if let Some(GenericArgument::Type(ty)) = arguments.args.first() {
                check_status_order(ty, diagnostics);
            }
        }
        _ => {}
    }
}

/// Rejects a `Result` as the value of a `Result`, or of another reply that has a status: the inner error would be sent as the
/// data of a success.
fn check_nested_result(action: &Action, diagnostics: &mut Diagnostics) {
    let mut inner = action.return_type().and_then(reply_value);
    while let Some(value) = inner {
        if is_type_named(value, "Result") {
            let message = format!(
                "`{}` returns a `Result` within its reply, so a client would get the inner error as the data of a success; \
                 return one `Result`, and pass the inner error on with `?`",
                action.method
            );
            return diagnostics.error(value, message);
        }
        inner = reply_value(value);
    }
}

/// Returns the `T` of `Result<T, E>`, `Created<T>` and `(T, StatusCode)`.
fn reply_value(ty: &Type) -> Option<&Type> {
    match ty {
        Type::Path(path) => {
            let segment = path.path.segments.last().filter(|last| last.ident == "Result" || last.ident == "Created")?;
            let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return None };
            arguments.args.iter().find_map(|argument| match argument {
                GenericArgument::Type(value) => Some(value),
                _ => None,
            })
        }
        Type::Tuple(tuple) if tuple.elems.len() == 2 && is_type_named(&tuple.elems[1], "StatusCode") => {
            tuple.elems.first()
        }
        Type::Group(group) => reply_value(&group.elem),
        Type::Paren(paren) => reply_value(&paren.elem),
        _ => None,
    }
}

/// Checks an action, a route method, a hook or `#[authenticate]`, which must not have lifetimes of their own.
pub(super) fn check_client_method(signature: &Signature, diagnostics: &mut Diagnostics) {
    check_method(signature, diagnostics);
    for lifetime in signature.generics.lifetimes() {
        let name = &lifetime.lifetime;
        diagnostics.error(lifetime, format!("a client cannot choose `{name}`; elide lifetimes, as in `&str`"));
    }
}

/// Checks a method that generated code calls: it takes `&self`, is safe and not generic.
pub(super) fn check_method(signature: &Signature, diagnostics: &mut Diagnostics) {
    if signature.receiver().is_none() {
        let message = format!("`{}` takes no `&self`; write `fn {0}(&self, …)`", signature.ident);
        diagnostics.error(&signature.ident, message);
    }
    check_function(signature, diagnostics);
}

/// Checks a function that generated code calls, which may be a method: it is safe and not generic.
pub(super) fn check_function(signature: &Signature, diagnostics: &mut Diagnostics) {
    if let Some(receiver) = signature.receiver() {
        check_receiver(receiver, diagnostics);
    }
    if let Safety::Unsafe(safety) = &signature.safety {
        diagnostics.error(safety, "clients cannot uphold the safety contract of an `unsafe fn`; remove `unsafe`");
    }
    if let Some(abi) = &signature.abi {
        diagnostics.error(abi, "a method that clients call must use the Rust ABI; remove `extern`");
    }
    if let Some(variadic) = &signature.variadic {
        diagnostics
            .error(variadic, "the arguments of a client have names, so they cannot be variadic; remove the `...`");
    }
    check_generics(signature, diagnostics);
}

fn check_receiver(receiver: &Receiver, diagnostics: &mut Diagnostics) {
    let message = match &receiver.kind {
        ReceiverKind::Reference(_, _, None) => return,
        ReceiverKind::Reference(_, _, Some(_)) => {
            "all connections share the handler, so `&mut self` is not possible; write `&self`, and store \
             mutable state in a `Mutex` or an atomic"
        }
        ReceiverKind::Typed(_, ty) if matches!(&**ty, Type::Reference(reference) if reference.mutability.is_none()) => {
            return;
        }
        _ => "all connections share the handler, so a method cannot take ownership of it; write `&self`",
    };
    diagnostics.error(receiver, message);
}

fn check_generics(signature: &Signature, diagnostics: &mut Diagnostics) {
    for parameter in &signature.generics.params {
        let (name, instead) = match parameter {
            GenericParam::Type(ty) => {
                (ty.ident.to_string(), "write the type itself, or put the parameter on the impl block")
            }
            GenericParam::Const(value) => {
                (value.ident.to_string(), "write the value itself, or put the parameter on the impl block")
            }
            GenericParam::Lifetime(_) => continue,
        };
        diagnostics.error(parameter, format!("a client cannot choose `{name}`; {instead}"));
    }
    for input in &signature.inputs {
        if let FnArg::Typed(typed) = input
            && let Some(found) = impl_trait(&typed.ty)
        {
            diagnostics.error(found, "a client cannot choose a type; write the type itself instead of `impl`");
        }
    }
}

fn impl_trait(ty: &Type) -> Option<&Type> {
    match ty {
        Type::ImplTrait(_) => Some(ty),
        Type::Reference(reference) => impl_trait(&reference.elem),
        Type::Paren(paren) => impl_trait(&paren.elem),
        Type::Group(group) => impl_trait(&group.elem),
        _ => None,
    }
}
