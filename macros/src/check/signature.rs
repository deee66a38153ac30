//! The signature of one method: of an action with its parameters, what holds for all that a message is read for, and what
//! any method that we call must look like.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Attribute, FnArg, GenericParam, Receiver, ReceiverKind, Safety, Signature, Type};

use super::{borrowed_parameter, object_parameter};
use crate::diagnostics::Diagnostics;
use crate::model::action::Action;
use crate::model::block::Block;
use crate::model::object::ObjectSource;
use crate::model::parameter::{Parameter, ParameterKind, is_type_named};
use crate::model::{self, Role};

/// Keys of the envelope, which no argument can have.
const ENVELOPE: [&str; 3] = ["action", "route", "request_id"];

pub(super) fn check(action: &Action, block: &Block, diagnostics: &mut Diagnostics) {
    plain(&action.signature, diagnostics);
    together(&action.parameters, diagnostics);
    for parameter in &action.parameters {
        match &parameter.kind {
            ParameterKind::Context => context(parameter, diagnostics),
            ParameterKind::Capture { name, span } => {
                capture(parameter, diagnostics);
                provided(name, *span, action, block, diagnostics);
            }
            ParameterKind::Extract => extract(parameter, diagnostics),
            ParameterKind::Key { .. } => key(parameter, block, diagnostics),
            ParameterKind::Object(object) => {
                object_parameter::check(parameter, object, diagnostics);
                if let ObjectSource::Capture { name, span } = &object.source {
                    provided(name, *span, action, block, diagnostics);
                }
            }
        }
        common(parameter, diagnostics);
    }
    if let Some(blocking) = action.blocking.as_ref().filter(|_| action.is_async()) {
        let message = "`blocking` is for a plain `fn` that would hold up the others; remove it, or remove `async`";
        diagnostics.error(blocking, message);
    }
}

/// What holds for parameters that one message is read for.
pub(super) fn together(parameters: &[Parameter], diagnostics: &mut Diagnostics) {
    one_context(parameters, diagnostics);
    names_once(parameters, diagnostics);
    keys_once(parameters, diagnostics);
}

/// What holds for an action and a hook: it can be called with anything, for anybody.
pub(super) fn plain(signature: &Signature, diagnostics: &mut Diagnostics) {
    called(signature, diagnostics);
    for lifetime in signature.generics.lifetimes() {
        let name = &lifetime.lifetime;
        diagnostics.error(lifetime, format!("a client cannot choose `{name}`; leave lifetimes out, as in `&str`"));
    }
}

/// What holds for every method that generated code calls: `&self`, safe, of one type.
pub(super) fn called(signature: &Signature, diagnostics: &mut Diagnostics) {
    if let Some(receiver) = signature.receiver() {
        shared_self(receiver, diagnostics);
    } else {
        let message = format!("`{}` takes no `&self`; write `fn {0}(&self, …)`", signature.ident);
        diagnostics.error(&signature.ident, message);
    }
    if let Some(constness) = &signature.constness {
        diagnostics.error(constness, "clients cannot call a `const fn`; remove `const`");
    }
    if let Safety::Unsafe(safety) = &signature.safety {
        diagnostics.error(safety, "clients cannot keep the promises of an `unsafe fn`; remove `unsafe`");
    }
    if let Some(abi) = &signature.abi {
        diagnostics.error(abi, "a method that clients call has Rust's own ABI; remove `extern`");
    }
    if let Some(variadic) = &signature.variadic {
        diagnostics.error(variadic, "a client's arguments have names; remove the `...`");
    }
    generics(signature, diagnostics);
}

fn shared_self(receiver: &Receiver, diagnostics: &mut Diagnostics) {
    let message = match &receiver.kind {
        ReceiverKind::Reference(_, _, None) => return,
        ReceiverKind::Reference(_, _, Some(_)) => {
            "`&mut self` would need the handler for one connection alone; write `&self`, and keep what changes in a `Mutex` or an atomic"
        }
        ReceiverKind::Typed(_, ty) if matches!(&**ty, Type::Reference(reference) if reference.mutability.is_none()) => {
            return;
        }
        _ => "connections share the handler, so nothing can take it; write `&self`",
    };
    diagnostics.error(receiver, message);
}

fn generics(signature: &Signature, diagnostics: &mut Diagnostics) {
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

fn one_context(parameters: &[Parameter], diagnostics: &mut Diagnostics) {
    let contexts = parameters.iter().filter(|parameter| matches!(parameter.kind, ParameterKind::Context));
    for later in contexts.skip(1) {
        diagnostics.error(&later.name, format!("`{}` is a second context; keep one", later.name));
    }
}

/// Names that a macro keeps apart are two to the compiler; a leaf could not tell them apart.
fn names_once(parameters: &[Parameter], diagnostics: &mut Diagnostics) {
    for (position, later) in parameters.iter().enumerate() {
        let name = model::unraw_name(&later.name);
        if parameters[..position].iter().any(|earlier| model::unraw_name(&earlier.name) == name) {
            let message = format!("two parameters are called `{name}`; give one of them another name");
            diagnostics.error(&later.name, message);
        }
    }
}

/// Two parameters cannot be one key of the message.
fn keys_once(parameters: &[Parameter], diagnostics: &mut Diagnostics) {
    let mut taken: Vec<(String, &Parameter)> = Vec::new();
    for parameter in parameters {
        for key in parameter.wire_names() {
            match taken.iter().find(|(name, owner)| *name == key && owner.name != parameter.name) {
                Some((_, owner)) => {
                    let message =
                        format!("`{key}` is the key of `{}` already; give one of them another name", owner.name);
                    diagnostics.error(&parameter.name, message);
                }
                None => taken.push((key, parameter)),
            }
        }
    }
}

pub(super) fn context(parameter: &Parameter, diagnostics: &mut Diagnostics) {
    let shared = matches!(&parameter.ty, Type::Reference(reference) if reference.mutability.is_none());
    if !shared {
        diagnostics.error(&parameter.ty, "the context is borrowed; write `&Context<'_, …>`");
    }
}

fn capture(parameter: &Parameter, diagnostics: &mut Diagnostics) {
    if is_type_named(&parameter.ty, "Context") {
        diagnostics.error(parameter.role_tokens(Role::Path), "the context is no capture; remove `#[path]`");
    } else if parameter.has_role(Role::Extract) {
        let message = format!("`{}` comes from one place; keep `#[path]` or `#[extract]`", parameter.name);
        diagnostics.error(parameter.role_tokens(Role::Extract), message);
    } else {
        borrowed_parameter::check_capture(parameter, diagnostics);
    }
}

/// No route leads to a consumer's own actions.
fn provided(name: &str, at: Span, action: &Action, block: &Block, diagnostics: &mut Diagnostics) {
    if block.kind == model::BlockKind::Consumer {
        let message = format!(
            "`{}` cannot read the capture `{name}`, as no route leads to a consumer's own actions; remove `#[path]` to take it from the message, or move the action into a handler",
            action.method
        );
        diagnostics.add(syn::Error::new(at, message));
    }
}

fn extract(parameter: &Parameter, diagnostics: &mut Diagnostics) {
    if is_type_named(&parameter.ty, "Context") {
        diagnostics.error(parameter.role_tokens(Role::Extract), "the context needs no extractor; remove `#[extract]`");
    }
}

pub(super) fn key(parameter: &Parameter, block: &Block, diagnostics: &mut Diagnostics) {
    for name in parameter.wire_names() {
        no_envelope_key(&name, &parameter.name, diagnostics);
    }
    if holds_an_object(parameter.ty.to_token_stream()) {
        let message = "no object can be loaded in there; write `Object<…>`, `Option<Object<…>>` or `Vec<Object<…>>`";
        diagnostics.error(&parameter.ty, message);
    } else if borrowed_parameter::check(parameter, diagnostics) {
        return;
    }
    if parameter.has_serde_function() && !stands_alone(&parameter.ty, block) {
        let message = "a serde attribute that names a function needs a type that stands on its own here; write it without `Self`, the block's generics and borrowed data";
        diagnostics.error(&parameter.ty, message);
    }
}

pub(super) fn no_envelope_key(name: &str, at: impl ToTokens, diagnostics: &mut Diagnostics) {
    if ENVELOPE.contains(&name) {
        let message =
            format!("`{name}` is a key of the envelope, so no argument can be called that; give it another name");
        diagnostics.error(at, message);
    }
}

/// Does it hold an `Object<…>`?
pub(super) fn holds_an_object(tokens: TokenStream) -> bool {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let found = match token {
            TokenTree::Group(group) => holds_an_object(group.stream()),
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

/// Can a struct outside of the impl have a field of this type?
fn stands_alone(ty: &Type, block: &Block) -> bool {
    let words: Vec<String> =
        block.generics.type_params().map(|parameter| parameter.ident.to_string()).chain(["Self".to_owned()]).collect();
    !mentions(ty.to_token_stream(), &words)
}

/// Does it hold one of the words, a reference or a lifetime?
fn mentions(tokens: TokenStream, words: &[String]) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Group(group) => mentions(group.stream(), words),
        TokenTree::Punct(punct) => matches!(punct.as_char(), '&' | '\''),
        word => words.contains(&word.to_string()),
    })
}

/// What is wrong with attributes, whatever the parameter is.
pub(super) fn common(parameter: &Parameter, diagnostics: &mut Diagnostics) {
    let from_serde = matches!(parameter.kind, ParameterKind::Key { .. });
    let object = matches!(parameter.kind, ParameterKind::Object(_));
    for (role, attribute) in &parameter.roles {
        if *role == Role::Serde && !from_serde && !object {
            diagnostics.error(
                attribute,
                "serde reads arguments only; remove this, as the parameter does not come from the message",
            );
        }
        if *role == Role::Object && !object {
            diagnostics.error(attribute, object_parameter::misplaced(parameter));
        }
    }
    for role in [Role::Path, Role::Extract, Role::Object] {
        if parameter.roles.iter().filter(|(found, _)| *found == role).count() > 1 {
            diagnostics.error(parameter.role_tokens(role), "this stands here twice; keep one");
        }
    }
    for attribute in &parameter.attributes {
        no_cfg(attribute, diagnostics);
    }
}

pub(super) fn no_cfg(attribute: &Attribute, diagnostics: &mut Diagnostics) {
    if attribute.path().is_ident("cfg") || attribute.path().is_ident("cfg_attr") {
        let message = "a parameter cannot come and go; put `#[cfg(…)]` on the method, and write two methods";
        diagnostics.error(attribute, message);
    }
}
