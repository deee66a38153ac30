//! Checks that need more than one attribute. All checks run, whatever earlier checks reported.

mod authenticate;
mod block;
mod borrowed_parameter;
mod envelope;
mod event;
mod event_type;
mod group;
mod hooks;
mod logic;
mod object_parameter;
mod presence;
mod unique_names;

mod leaf_captures;
mod leaf_parameters;
mod parameter;
mod regex_match;
mod route;
mod signature;
mod validate;

#[cfg(test)]
mod test_support;

pub(crate) use event_type::event_type;
pub(crate) use group::group;

use crate::diagnostics::Diagnostics;
use crate::model::block::Block;

/// Checks the whole block.
pub(crate) fn block(block: &Block, diagnostics: &mut Diagnostics) {
    block::check(block, diagnostics);
    for action in &block.actions {
        signature::check(action, block, diagnostics);
        validate::check(action, validate::IS_ENABLED, diagnostics);
    }
    for hook in &block.hooks {
        hooks::check(hook, block, diagnostics);
    }
    for authenticate in &block.authenticates {
        authenticate::check(authenticate, block, diagnostics);
    }
    for event in &block.events {
        event::check(event, block, diagnostics);
    }
    unique_names::check(block, diagnostics);
    route::check(block, diagnostics);
    leaf_captures::check(block, diagnostics);
    leaf_parameters::check(block, diagnostics);
    logic::check(block, diagnostics);
}
