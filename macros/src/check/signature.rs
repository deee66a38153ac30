//! Checks of one signature: an action with its parameters, the rules for all parameters read from a message, and the rules
//! for every method that generated code calls.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{
    Attribute, FnArg, GenericArgument, GenericParam, PathArguments, Receiver, ReceiverKind, Safety, Signature, Type,
};

use super::envelope::check_envelope_key;
use super::{borrowed_parameter, object_parameter};
use crate::diagnostics::Diagnostics;
use crate::model::action::Action;
use crate::model::block::Block;
use crate::model::object::ObjectSource;
use crate::model::parameter::{Parameter, ParameterKind, is_type_named};
use crate::model::{self, Role};

pub(super) fn check(action: &Action, block: &Block, diagnostics: &mut Diagnostics) {
    check_client_method(&action.signature, diagnostics);
    check_parameters(&action.parameters, diagnostics);
    for parameter in &action.parameters {
        match &parameter.kind {
            ParameterKind::Context => check_context(parameter, diagnostics),
            ParameterKind::Capture { name, span } => {
                check_capture(parameter, diagnostics);
                check_capture_available(name, *span, action, block, diagnostics);
            }
            ParameterKind::Extract => check_extract(parameter, diagnostics),
            ParameterKind::Key { .. } => check_argument(parameter, block, diagnostics),
            ParameterKind::Object(object) => {
                object_parameter::check(parameter, object, diagnostics);
                if let ObjectSource::Capture { name, span } = &object.source {
                    check_capture_available(name, *span, action, block, diagnostics);
                }
            }
        }
        check_attributes(parameter, diagnostics);
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

/// Checks rules across all parameters of a method that is called with a message.
pub(super) fn check_parameters(parameters: &[Parameter], diagnostics: &mut Diagnostics) {
    check_single_context(parameters, diagnostics);
    check_unique_names(parameters, diagnostics);
    check_unique_keys(parameters, diagnostics);
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

fn check_single_context(parameters: &[Parameter], diagnostics: &mut Diagnostics) {
    let contexts = parameters.iter().filter(|parameter| matches!(parameter.kind, ParameterKind::Context));
    for duplicate in contexts.skip(1) {
        diagnostics.error(&duplicate.name, format!("`{}` is a second context; remove it", duplicate.name));
    }
}

/// Checks that parameter names are unique. To the compiler, names with different macro hygiene differ; a leaf cannot
/// distinguish them.
fn check_unique_names(parameters: &[Parameter], diagnostics: &mut Diagnostics) {
    for (position, duplicate) in parameters.iter().enumerate() {
        let name = model::unraw_name(&duplicate.name);
        if parameters[..position].iter().any(|earlier| model::unraw_name(&earlier.name) == name) {
            let message = format!("two parameters are named `{name}`; rename one of them");
            diagnostics.error(&duplicate.name, message);
        }
    }
}

/// Checks that no two parameters are read from the same key of the message.
fn check_unique_keys(parameters: &[Parameter], diagnostics: &mut Diagnostics) {
    let mut taken: Vec<(String, &Parameter)> = Vec::new();
    for parameter in parameters {
        for key in parameter.wire_names() {
            match taken.iter().find(|(name, owner)| *name == key && owner.name != parameter.name) {
                Some((_, owner)) => {
                    let message = format!("`{key}` is already the key of `{}`; rename one of them", owner.name);
                    diagnostics.error(&parameter.name, message);
                }
                None => taken.push((key, parameter)),
            }
        }
    }
}

pub(super) fn check_context(parameter: &Parameter, diagnostics: &mut Diagnostics) {
    let shared = matches!(&parameter.ty, Type::Reference(reference) if reference.mutability.is_none());
    if !shared {
        diagnostics.error(&parameter.ty, "the context must be borrowed; write `&Context<'_, …>`");
    }
}

fn check_capture(parameter: &Parameter, diagnostics: &mut Diagnostics) {
    if is_type_named(&parameter.ty, "Context") {
        diagnostics.error(parameter.role_tokens(Role::Path), "the context is not a capture; remove `#[path]`");
    } else if parameter.has_role(Role::Extract) {
        let message = format!("`{}` has two sources, `#[path]` and `#[extract]`; remove one of them", parameter.name);
        diagnostics.error(parameter.role_tokens(Role::Extract), message);
    } else {
        borrowed_parameter::check_capture(parameter, diagnostics);
        if let Some(inner) = model::option_argument(&parameter.ty) {
            let message = format!(
                "a route that leads here has the capture, so `{}` is never `None`; write `{}: {}`",
                parameter.name,
                parameter.name,
                model::print(inner.to_token_stream())
            );
            diagnostics.error(&parameter.ty, message);
        }
    }
}

/// Rejects captures in a consumer, because no route leads to its actions.
fn check_capture_available(name: &str, at: Span, action: &Action, block: &Block, diagnostics: &mut Diagnostics) {
    if block.kind == model::BlockKind::Consumer {
        let message = format!(
            "`{}` cannot read the capture `{name}`, because no route leads to the actions of a consumer; remove \
             `#[path]` to take it from the message, or move the action into a handler",
            action.method
        );
        diagnostics.add(syn::Error::new(at, message));
    }
}

fn check_extract(parameter: &Parameter, diagnostics: &mut Diagnostics) {
    if is_type_named(&parameter.ty, "Context") {
        diagnostics.error(parameter.role_tokens(Role::Extract), "the context needs no extractor; remove `#[extract]`");
    }
}

pub(super) fn check_argument(parameter: &Parameter, block: &Block, diagnostics: &mut Diagnostics) {
    for name in parameter.wire_names() {
        check_envelope_key(&name, &parameter.name, diagnostics);
    }
    if is_user_type(&parameter.ty, &block.user) {
        let message = format!(
            "`{}` would be a user that the client writes into the message; remove it, and use `cx.require_user()`",
            parameter.name
        );
        diagnostics.error(&parameter.ty, message);
        return;
    }
    if contains_object(parameter.ty.to_token_stream()) {
        let message = "an object cannot be loaded inside another type; write `Object<…>`, `Option<Object<…>>` \
            or `Vec<Object<…>>`";
        diagnostics.error(&parameter.ty, message);
    } else if borrowed_parameter::check(parameter, diagnostics) {
        return;
    }
    if parameter.has_serde_function() && !is_self_contained(&parameter.ty, block) {
        let message = "a serde attribute that names a function needs a self-contained type; write one without \
            `Self`, generics of the block or borrowed data";
        diagnostics.error(&parameter.ty, message);
    }
}

/// Returns whether a parameter has the user type of the block, perhaps borrowed or optional. `()` means that there is none.
fn is_user_type(ty: &Type, user: &Type) -> bool {
    match ty {
        Type::Reference(reference) => is_user_type(&reference.elem, user),
        Type::Path(path) => {
            let inner =
                path.path.segments.last().filter(|segment| segment.ident == "Option").map(|last| &last.arguments);
            match inner {
                Some(PathArguments::AngleBracketed(inner)) => {
                    matches!(inner.args.first(), Some(GenericArgument::Type(inner)) if is_user_type(inner, user))
                }
                _ => ty.to_token_stream().to_string() == user.to_token_stream().to_string(),
            }
        }
        _ => false,
    }
}

/// Returns whether the type contains an `Object<…>`.
pub(super) fn contains_object(tokens: TokenStream) -> bool {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let found = match token {
            TokenTree::Group(group) => contains_object(group.stream()),
            TokenTree::Ident(word) if word == "Object" => {
                matches!(tokens.peek(), Some(TokenTree::Punct(next)) if next.as_char() == '<')
            }
            _ => false,
        };
        if found {
            return true;
        }
    }
    false
}

/// Returns whether a struct outside of the impl can have a field of this type.
fn is_self_contained(ty: &Type, block: &Block) -> bool {
    let words: Vec<String> =
        block.generics.type_params().map(|parameter| parameter.ident.to_string()).chain(["Self".to_owned()]).collect();
    !contains_word(ty.to_token_stream(), &words)
}

/// Returns whether the tokens contain one of the words, a reference or a lifetime.
fn contains_word(tokens: TokenStream, words: &[String]) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Group(group) => contains_word(group.stream(), words),
        TokenTree::Punct(punct) => matches!(punct.as_char(), '&' | '\''),
        word => words.contains(&word.to_string()),
    })
}

/// Checks the attributes of a parameter of any kind.
pub(super) fn check_attributes(parameter: &Parameter, diagnostics: &mut Diagnostics) {
    let from_serde = matches!(parameter.kind, ParameterKind::Key { .. });
    let object = matches!(parameter.kind, ParameterKind::Object(_));
    for (role, attribute) in &parameter.roles {
        if *role == Role::Serde && !from_serde && !object {
            diagnostics.error(
                attribute,
                "`#[serde]` applies only to arguments that are read from the message; remove this attribute",
            );
        }
        if *role == Role::Object && !object {
            diagnostics.error(attribute, object_parameter::misplaced_message(parameter));
        }
    }
    for role in [Role::Path, Role::Extract, Role::Object] {
        if parameter.roles.iter().filter(|(found, _)| *found == role).count() > 1 {
            diagnostics.error(parameter.role_tokens(role), "this attribute is repeated; remove one of them");
        }
    }
    for attribute in &parameter.attributes {
        reject_cfg(attribute, diagnostics);
    }
}

pub(super) fn reject_cfg(attribute: &Attribute, diagnostics: &mut Diagnostics) {
    if attribute.path().is_ident("cfg") || attribute.path().is_ident("cfg_attr") {
        let message =
            "a parameter cannot be conditional; put `#[cfg(…)]` on the method, and write one method per configuration";
        diagnostics.error(attribute, message);
    }
}
