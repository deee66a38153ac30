//! The block as a whole: that there is something to call, and that nothing is open by silence.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::{Attribute, GenericParam, Type};

use super::hooks;
use crate::diagnostics::Diagnostics;
use crate::model::action::Action;
use crate::model::block::{Block, BlockPermission};
use crate::model::{BlockKind, MethodKind, authenticate};

pub(super) fn check(block: &Block, diagnostics: &mut Diagnostics) {
    something_to_call(block, diagnostics);
    guarded(block, diagnostics);
    named(block, diagnostics);
    lifetimes(block, diagnostics);
    hooks_once(block, diagnostics);
}

fn something_to_call(block: &Block, diagnostics: &mut Diagnostics) {
    if !block.has_callables {
        let message = "nothing to call in this block; mark a method with `#[action]` or `#[route(\"…\")]`";
        diagnostics.error(&block.ty, message);
    }
}

/// Nothing is open by silence: an action has an expression of its own, or its block has one.
fn guarded(block: &Block, diagnostics: &mut Diagnostics) {
    if block.has_unreadable_permission || !matches!(block.permission, BlockPermission::Absent) {
        return;
    }
    let kind = block.kind.name();
    let open = |action: &&Action| action.permission.is_none() && !action.has_unreadable_permission;
    for action in block.actions.iter().filter(open) {
        let name = &action.method;
        let message = format!(
            "`{name}` has no permission; write `#[action(permission = …)]` or `#[{kind}(permission = …)]`, with `AllowAny` if everybody may call it"
        );
        diagnostics.error(name, message);
    }
}

fn named(block: &Block, diagnostics: &mut Diagnostics) {
    if block.name.is_empty() {
        let kind = block.kind.name();
        let message = format!("this type has no name of its own; write `#[{kind}(name = \"…\")]`");
        diagnostics.error(&block.ty, message);
    }
    if matches!(block.ty, Type::TraitObject(_) | Type::ImplTrait(_)) {
        diagnostics.error(&block.ty, "a handler is one type; write the impl block of a struct or an enum");
    }
}

/// A handler is shared by all connections for as long as the program runs.
fn lifetimes(block: &Block, diagnostics: &mut Diagnostics) {
    for parameter in &block.generics.params {
        if let GenericParam::Lifetime(lifetime) = parameter {
            let message = format!(
                "a handler borrows nothing, as connections share it; remove `{}` and keep owned values or an `Arc` in it",
                lifetime.lifetime
            );
            diagnostics.error(lifetime.to_token_stream(), message);
        }
    }
}

fn hooks_once(block: &Block, diagnostics: &mut Diagnostics) {
    for mark in [MethodKind::Connect, MethodKind::Disconnect] {
        let same = block.hooks.iter().filter(|hook| hook.kind == mark);
        let same = same.map(|hook| Placed { attribute: &hook.attribute, method: &hook.method, cfgs: &hook.cfgs });
        let not_seen = "a handler does not see connections come and go";
        once(hooks::name(mark), same, not_seen, block, diagnostics);
    }
    let authenticates = block.authenticates.iter();
    let same = authenticates.map(|one| Placed { attribute: &one.attribute, method: &one.method, cfgs: &one.cfgs });
    once(authenticate::ACTION_NAME, same, "who is connected is not a handler's to say", block, diagnostics);
}

/// A method with a mark that a block has once.
struct Placed<'a> {
    attribute: &'a Attribute,
    method: &'a Ident,
    cfgs: &'a [Attribute],
}

/// Only in a consumer, and once; `because` says why not in a handler.
fn once<'a>(
    name: &str,
    mut same: impl Iterator<Item = Placed<'a>>,
    because: &str,
    block: &Block,
    diagnostics: &mut Diagnostics,
) {
    let Some(first) = same.next() else { return };
    if block.kind == BlockKind::Handler {
        diagnostics.error(first.attribute, format!("`#[{name}]` goes into a `#[consumer]` block; {because}"));
    }
    for later in same {
        // Two that `cfg` keeps apart are the user's business.
        if first.cfgs.is_empty() || later.cfgs.is_empty() {
            diagnostics.error(later.attribute, format!("`#[{name}]` stands on `{}` already; keep one", first.method));
        }
    }
}
