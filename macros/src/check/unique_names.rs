//! Checks that the names of actions, the patterns of routes, and the names and types of events are unique, and that no
//! action has the name of `#[authenticate]`. Both definitions are underlined, the later one first.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::Attribute;

use super::route::shape;
use crate::diagnostics::Diagnostics;
use crate::model::authenticate::{ACTION_NAME, Authenticate};
use crate::model::block::Block;
use crate::model::{BlockKind, print};

/// A definition whose name must be unique.
struct Definition<'a> {
    name: String,
    display_name: String,
    at: TokenStream,
    cfgs: &'a [Attribute],
}

pub(super) fn check(block: &Block, diagnostics: &mut Diagnostics) {
    check_actions(block, diagnostics);
    check_authenticate(block, diagnostics);
    check_routes(block, diagnostics);
    check_events(block, diagnostics);
}

fn check_actions(block: &Block, diagnostics: &mut Diagnostics) {
    let actions = block.actions.iter().map(|action| Definition {
        name: action.name.clone(),
        display_name: action.name.clone(),
        at: action.name_tokens.clone(),
        cfgs: &action.cfgs,
    });
    for (later, earlier) in duplicates(&actions.collect::<Vec<_>>()) {
        let name = &later.display_name;
        diagnostics.error(&later.at, format!("two actions are named `{name}`; rename one of them with `name = \"…\"`"));
        diagnostics.error(&earlier.at, format!("`{name}` is first defined here"));
    }
}

/// Checks that no action has the reserved name by which clients call the `#[authenticate]` method.
fn check_authenticate(block: &Block, diagnostics: &mut Diagnostics) {
    for action in block.actions.iter().filter(|action| action.name == ACTION_NAME && block.kind == BlockKind::Consumer)
    {
        let conflicts = |one: &Authenticate| one.cfgs.is_empty() || action.cfgs.is_empty();
        if block.authenticates.iter().any(conflicts) {
            let message = format!("`{ACTION_NAME}` is the name of this block's `#[{ACTION_NAME}]`; rename the action");
            diagnostics.error(&action.name_tokens, message);
        }
    }
}

fn check_routes(block: &Block, diagnostics: &mut Diagnostics) {
    let definitions = block.routes.iter().map(|route| Definition {
        name: shape(&route.pattern),
        display_name: route.pattern.text.clone(),
        at: route.pattern.literal.to_token_stream(),
        cfgs: &route.cfgs,
    });
    for (later, earlier) in duplicates(&definitions.collect::<Vec<_>>()) {
        let (name, other) = (&later.display_name, &earlier.display_name);
        let message = if name == other {
            format!("two routes have the pattern `{name}`; change one of them")
        } else {
            format!("`{name}` matches the same routes as `{other}`; change one of them")
        };
        diagnostics.error(&later.at, message);
        diagnostics.error(&earlier.at, format!("`{other}` is first defined here"));
    }
}

fn check_events(block: &Block, diagnostics: &mut Diagnostics) {
    let names = block.events.iter().map(|event| Definition {
        name: event.name.clone(),
        display_name: event.name.clone(),
        at: event.name_tokens.clone(),
        cfgs: &event.cfgs,
    });
    for (later, earlier) in duplicates(&names.collect::<Vec<_>>()) {
        let name = &later.display_name;
        diagnostics.error(&later.at, format!("two events are named `{name}`; rename one of them with `name = \"…\"`"));
        diagnostics.error(&earlier.at, format!("`{name}` is first defined here"));
    }
    let types = block.events.iter().filter_map(|event| {
        let ty = event.event_type()?.to_token_stream();
        Some(Definition { name: print(ty.clone()), display_name: print(ty.clone()), at: ty, cfgs: &event.cfgs })
    });
    for (later, earlier) in duplicates(&types.collect::<Vec<_>>()) {
        let ty = &later.display_name;
        diagnostics.error(&later.at, format!("two events have the type `{ty}`; remove one of them"));
        diagnostics.error(&earlier.at, "the first event is defined here");
    }
}

/// Returns each later definition with the first earlier one of the same name. Two definitions that both have a `#[cfg]` do
/// not conflict.
fn duplicates<'a, 'b>(definitions: &'b [Definition<'a>]) -> Vec<(&'b Definition<'a>, &'b Definition<'a>)> {
    let mut conflicts = Vec::new();
    for (position, later) in definitions.iter().enumerate() {
        let mut earlier = definitions[..position].iter();
        let conflict =
            earlier.find(|earlier| earlier.name == later.name && (earlier.cfgs.is_empty() || later.cfgs.is_empty()));
        conflicts.extend(conflict.map(|earlier| (later, earlier)));
    }
    conflicts
}
