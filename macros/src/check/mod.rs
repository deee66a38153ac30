//! Whether it makes sense: what takes more than one attribute to see. Everything is looked at, whatever was found before.

mod authenticate;
mod block;
mod borrowed;
mod events;
mod group;
mod hooks;
mod logic;
mod names;
mod objects;
mod reason;
mod regex;
mod routes;
mod signature;
mod subjects;
mod together;
#[cfg(test)]
mod told;

pub(crate) use group::group;

use crate::diagnostics::Diagnostics;
use crate::model::block::Block;

/// Checks the whole block.
pub(crate) fn block(block: &Block, diagnostics: &mut Diagnostics) {
    block::check(block, diagnostics);
    for action in &block.actions {
        signature::check(action, block, diagnostics);
    }
    for hook in &block.hooks {
        hooks::check(hook, block, diagnostics);
    }
    for authenticate in &block.authenticates {
        authenticate::check(authenticate, block, diagnostics);
    }
    for event in &block.events {
        events::check(event, block, diagnostics);
    }
    names::check(block, diagnostics);
    routes::check(block, diagnostics);
    subjects::check(block, diagnostics);
    logic::check(block, diagnostics);
}
