//! That no two actions have one name and none that of `#[authenticate]`, no two routes one pattern, and no two events one
//! name or type; of two, both places are shown, the later first.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::Attribute;

use super::route::shape;
use crate::diagnostics::Diagnostics;
use crate::model::authenticate::{ACTION_NAME, Authenticate};
use crate::model::block::Block;
use crate::model::{BlockKind, print};

/// Something that must be alone under its name.
struct Claim<'a> {
    name: String,
    shown: String,
    at: TokenStream,
    cfgs: &'a [Attribute],
}

pub(super) fn check(block: &Block, diagnostics: &mut Diagnostics) {
    actions(block, diagnostics);
    authenticate(block, diagnostics);
    routes(block, diagnostics);
    events(block, diagnostics);
}

fn actions(block: &Block, diagnostics: &mut Diagnostics) {
    let actions = block.actions.iter().map(|action| Claim {
        name: action.name.clone(),
        shown: action.name.clone(),
        at: action.name_tokens.clone(),
        cfgs: &action.cfgs,
    });
    for (later, earlier) in taken(&actions.collect::<Vec<_>>()) {
        let name = &later.shown;
        diagnostics.error(&later.at, format!("two actions are called `{name}`; give one of them `name = \"…\"`"));
        diagnostics.error(&earlier.at, format!("`{name}` is taken here"));
    }
}

/// Clients call `#[authenticate]` by a name of its own.
fn authenticate(block: &Block, diagnostics: &mut Diagnostics) {
    for action in block.actions.iter().filter(|action| action.name == ACTION_NAME && block.kind == BlockKind::Consumer)
    {
        let clashes = |one: &Authenticate| one.cfgs.is_empty() || action.cfgs.is_empty();
        if block.authenticates.iter().any(clashes) {
            let message =
                format!("`{ACTION_NAME}` is the name of this block's `#[{ACTION_NAME}]`; call the action otherwise");
            diagnostics.error(&action.name_tokens, message);
        }
    }
}

fn routes(block: &Block, diagnostics: &mut Diagnostics) {
    let claims = block.routes.iter().map(|route| Claim {
        name: shape(&route.pattern),
        shown: route.pattern.text.clone(),
        at: route.pattern.literal.to_token_stream(),
        cfgs: &route.cfgs,
    });
    for (later, earlier) in taken(&claims.collect::<Vec<_>>()) {
        let (name, other) = (&later.shown, &earlier.shown);
        let message = if name == other {
            format!("two routes have the pattern `{name}`; change one of them")
        } else {
            format!("`{name}` matches the same as `{other}`; change one of them")
        };
        diagnostics.error(&later.at, message);
        diagnostics.error(&earlier.at, format!("`{other}` stands here"));
    }
}

fn events(block: &Block, diagnostics: &mut Diagnostics) {
    let names = block.events.iter().map(|event| Claim {
        name: event.name.clone(),
        shown: event.name.clone(),
        at: event.name_tokens.clone(),
        cfgs: &event.cfgs,
    });
    for (later, earlier) in taken(&names.collect::<Vec<_>>()) {
        let name = &later.shown;
        diagnostics.error(&later.at, format!("two events are called `{name}`; give one of them `name = \"…\"`"));
        diagnostics.error(&earlier.at, format!("`{name}` is taken here"));
    }
    let types = block.events.iter().filter_map(|event| {
        let ty = event.event_type()?.to_token_stream();
        Some(Claim { name: print(ty.clone()), shown: print(ty.clone()), at: ty, cfgs: &event.cfgs })
    });
    for (later, earlier) in taken(&types.collect::<Vec<_>>()) {
        let ty = &later.shown;
        diagnostics.error(&later.at, format!("`{ty}` has an event already; keep one of the two"));
        diagnostics.error(&earlier.at, "the other stands here");
    }
}

/// Each later claim with the first earlier one of its name. Two that `cfg` may keep apart do not clash.
fn taken<'a, 'b>(claims: &'b [Claim<'a>]) -> Vec<(&'b Claim<'a>, &'b Claim<'a>)> {
    let mut clashes = Vec::new();
    for (position, later) in claims.iter().enumerate() {
        let mut earlier = claims[..position].iter();
        let clash =
            earlier.find(|earlier| earlier.name == later.name && (earlier.cfgs.is_empty() || later.cfgs.is_empty()));
        clashes.extend(clash.map(|earlier| (later, earlier)));
    }
    clashes
}
