//! Checks of the captures that leaves name: they are named only where a route has captures.

use quote::ToTokens;
use syn::Member;

use crate::diagnostics::Diagnostics;
use crate::model::block::Block;
use crate::model::expression::Expression;
use crate::model::{BlockKind, print};

const NO_ROUTE_TO_CONSUMER: &str =
    "no route leads to the actions of a consumer; move the permission to the route or to the mounted handler";
const NO_ROUTE_WHILE_CONNECTING: &str =
    "a connection has no route yet; move the permission to `permission = …` of the route or of the mounted handler";
const NO_ROUTE_OF_EVENT: &str = "an event has no route; the permission receives the whole event";

pub(super) fn check(block: &Block, diagnostics: &mut Diagnostics) {
    let on_block = match block.kind {
        BlockKind::Consumer => Some(NO_ROUTE_TO_CONSUMER),
        BlockKind::Handler => None,
    };
    if let Some(own) = block.permission.expression() {
        check_captures(own, on_block, diagnostics);
    }
    if let Some(connect) = &block.connect {
        check_captures(connect, Some(NO_ROUTE_WHILE_CONNECTING), diagnostics);
    }
    for expression in block.routes.iter().filter_map(|route| route.permission.as_ref()) {
        check_captures(expression, None, diagnostics);
    }
    for expression in block.actions.iter().filter_map(|action| action.permission.as_ref()) {
        check_captures(expression, on_block, diagnostics);
    }
}

/// Rejects captures in the permission of an event.
pub(super) fn check_event(expression: &Expression, diagnostics: &mut Diagnostics) {
    check_captures(expression, Some(NO_ROUTE_OF_EVENT), diagnostics);
}

/// Checks the captures that leaves name. `refusal` is the reason if leaves cannot name captures here.
fn check_captures(expression: &Expression, refusal: Option<&str>, diagnostics: &mut Diagnostics) {
    for leaf in &expression.leaves {
        for placeholder in &leaf.placeholders {
            let text = print(placeholder.to_token_stream());
            let message = match (placeholder, refusal) {
                (_, Some(reason)) => format!("`{{{text}}}` names a capture, but {reason}"),
                (Member::Unnamed(_), None) => {
                    format!("`{{{text}}}` is not the name of a capture; write, for example, `{{room_id}}`")
                }
                (Member::Named(_), None) => continue,
            };
            diagnostics.error(placeholder, message);
        }
    }
}
