//! Checks of the parameters of one method that is called with a message.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Attribute, GenericArgument, PathArguments, Type};

use super::envelope::check_envelope_key;
use super::{borrowed_parameter, object_parameter};
use crate::diagnostics::Diagnostics;
use crate::model::action::Action;
use crate::model::block::Block;
use crate::model::parameter::{Parameter, ParameterKind, is_type_named};
use crate::model::{self, Role};

/// Checks rules across all parameters of a method that is called with a message.
pub(super) fn check_parameters(parameters: &[Parameter], diagnostics: &mut Diagnostics) {
    check_single_context(parameters, diagnostics);
    check_unique_names(parameters, diagnostics);
    check_unique_keys(parameters, diagnostics);
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

pub(super) fn check_capture(parameter: &Parameter, diagnostics: &mut Diagnostics) {
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
pub(super) fn check_capture_available(
    name: &str,
    at: Span,
    action: &Action,
    block: &Block,
    diagnostics: &mut Diagnostics,
) {
    if block.kind == model::BlockKind::Consumer {
        let message = format!(
            "`{}` cannot read the capture `{name}`, because no route leads to the actions of a consumer; remove \
             `#[path]` to take it from the message, or move the action into a handler",
            action.method
        );
        diagnostics.add(syn::Error::new(at, message));
    }
}

pub(super) fn check_extract(parameter: &Parameter, diagnostics: &mut Diagnostics) {
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
