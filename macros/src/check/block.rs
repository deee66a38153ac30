//! Checks of a whole block: it has something to call, a name, a permission for each action, and no lifetimes.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::{Attribute, GenericArgument, GenericParam, PathArguments, Type};

use crate::diagnostics::Diagnostics;
use crate::model::action::Action;
use crate::model::block::{Block, BlockPermission};
use crate::model::event::Event;
use crate::model::hook::Hook;
use crate::model::parameter::ParameterKind;
use crate::model::{BlockKind, MethodKind, authenticate, print};

pub(super) fn check(block: &Block, diagnostics: &mut Diagnostics) {
    check_callable(block, diagnostics);
    check_permissions(block, diagnostics);
    check_type(block, diagnostics);
    check_lifetimes(block, diagnostics);
    check_hooks(block, diagnostics);
    check_user(block, diagnostics);
}

/// Reports a parameter that names a user type if the block names none. One is enough, because all have the same cause.
fn check_user(block: &Block, diagnostics: &mut Diagnostics) {
    if block.may_have_user {
        return;
    }
    let parameters = block.actions.iter().flat_map(|action| &action.parameters);
    let of_actions = parameters.filter(|parameter| matches!(parameter.kind, ParameterKind::Context));
    let of_actions = of_actions.map(|parameter| &parameter.ty);
    // The context of `#[gap]` names the consumer.
    let of_hooks = block.hooks.iter().filter(|hook| hook.kind != MethodKind::Gap);
    let of_hooks = of_hooks.flat_map(Hook::parameters).map(|parameter| &*parameter.ty);
    let of_events = block.events.iter().filter_map(Event::scope_parameter).map(|parameter| &*parameter.ty);
    let Some(user) = of_actions.chain(of_hooks).chain(of_events).find_map(named_user) else { return };
    let (ty, kind, written) = (print(block.ty.to_token_stream()), block.kind.name(), print(user.to_token_stream()));
    diagnostics.error(user, format!("`{ty}` has no user type; write `#[{kind}(user = {written})]`"));
}

/// Returns the `Member` in `&Context<'_, Member>`. Returns `None` for `()` and for a type that names `Self`.
fn named_user(ty: &Type) -> Option<&Type> {
    let path = match ty {
        Type::Reference(reference) => return named_user(&reference.elem),
        Type::Path(path) => &path.path,
        _ => return None,
    };
    let PathArguments::AngleBracketed(arguments) = &path.segments.last()?.arguments else { return None };
    let user = arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(user) => Some(user),
        _ => None,
    })?;
    let is_named =
        matches!(user, Type::Path(path) if !path.path.segments.iter().any(|segment| segment.ident == "Self"));
    is_named.then_some(user)
}

fn check_callable(block: &Block, diagnostics: &mut Diagnostics) {
    if !block.has_callables {
        let ty = print(block.ty.to_token_stream());
        let message =
            format!("`{ty}` has no actions, routes or events; mark a method with `#[action]` or `#[route(\"…\")]`");
        diagnostics.error(&block.ty, message);
    }
}

/// Checks that each action has a permission of its own, or that its block has one: there is no default permission.
fn check_permissions(block: &Block, diagnostics: &mut Diagnostics) {
    if block.has_unreadable_permission || !matches!(block.permission, BlockPermission::Absent) {
        return;
    }
    let kind = block.kind.name();
    let has_no_permission = |action: &&Action| action.permission.is_none() && !action.has_unreadable_permission;
    for action in block.actions.iter().filter(has_no_permission) {
        let name = &action.method;
        let message = format!(
            "`{name}` has no permission; write `#[action(permission = …)]` or `#[{kind}(permission = …)]`, with \
             `AllowAny` if every client may call it"
        );
        diagnostics.error(name, message);
    }
}

fn check_type(block: &Block, diagnostics: &mut Diagnostics) {
    if block.name.is_empty() {
        let kind = block.kind.name();
        let ty = print(block.ty.to_token_stream());
        let message = format!("no name can be derived from the type `{ty}`; write `#[{kind}(name = \"…\")]`");
        diagnostics.error(&block.ty, message);
    }
    if matches!(block.ty, Type::TraitObject(_) | Type::ImplTrait(_)) {
        let ty = print(block.ty.to_token_stream());
        let message = format!("`{ty}` cannot be a handler; write the impl block of a struct or an enum");
        diagnostics.error(&block.ty, message);
    }
}

/// Rejects lifetimes: all connections share a handler for as long as the program runs.
fn check_lifetimes(block: &Block, diagnostics: &mut Diagnostics) {
    for parameter in &block.generics.params {
        if let GenericParam::Lifetime(lifetime) = parameter {
            let message = format!(
                "all connections share a handler, so it cannot borrow; remove `{}` and store owned values or an `Arc`",
                lifetime.lifetime
            );
            diagnostics.error(lifetime.to_token_stream(), message);
        }
    }
}

fn check_hooks(block: &Block, diagnostics: &mut Diagnostics) {
    for mark in [MethodKind::Connect, MethodKind::Disconnect, MethodKind::Gap] {
        let same = block.hooks.iter().filter(|hook| hook.kind == mark);
        let same = same.map(|hook| MarkedMethod { attribute: &hook.attribute, method: &hook.method, cfgs: &hook.cfgs });
        let reason = match mark {
            MethodKind::Gap => "a handler is not notified of lost events",
            _ => "a handler is not notified of connections",
        };
        check_single(mark.name(), same, reason, block, diagnostics);
    }
    let authenticates = block.authenticates.iter();
    let same =
        authenticates.map(|one| MarkedMethod { attribute: &one.attribute, method: &one.method, cfgs: &one.cfgs });
    check_single(authenticate::ACTION_NAME, same, "only a consumer authenticates connections", block, diagnostics);
}

/// A method with an attribute that a block may have once.
struct MarkedMethod<'a> {
    attribute: &'a Attribute,
    method: &'a Ident,
    cfgs: &'a [Attribute],
}

/// Checks that the attribute is used in a consumer and only once. `reason` is why a handler cannot have it.
fn check_single<'a>(
    name: &str,
    mut same: impl Iterator<Item = MarkedMethod<'a>>,
    reason: &str,
    block: &Block,
    diagnostics: &mut Diagnostics,
) {
    let Some(first) = same.next() else { return };
    if block.kind == BlockKind::Handler {
        diagnostics.error(first.attribute, format!("`#[{name}]` belongs in a `#[consumer]` block; {reason}"));
    }
    for later in same {
        // Methods with `#[cfg]` may exclude each other.
        if first.cfgs.is_empty() || later.cfgs.is_empty() {
            diagnostics
                .error(later.attribute, format!("`#[{name}]` is already on `{}`; remove one of them", first.method));
        }
    }
}
