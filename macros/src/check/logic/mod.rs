//! Checks of what permission expressions mean: parts without effect, and expressions that always or never hold.

mod authentication;
mod combined;
mod expression;
mod truth_table;

pub(super) use expression::check_expression;

use crate::diagnostics::Diagnostics;
use crate::model::block::Block;
use crate::model::expression::Expression;

/// Checks the expressions of a block, each alone and those of its actions together with its own.
pub(super) fn check(block: &Block, diagnostics: &mut Diagnostics) {
    authentication::check(block, diagnostics);
    // An expression with an error of its own is not combined with others.
    let block_expression = block.permission.expression().filter(|expression| check_expression(expression, diagnostics));
    if let Some(expression) = &block.connect {
        check_expression(expression, diagnostics);
    }
    for route in &block.routes {
        if let Some(expression) = &route.permission {
            check_expression(expression, diagnostics);
        }
    }
    for action in &block.actions {
        let Some(expression) = &action.permission else { continue };
        let is_valid = check_expression(expression, diagnostics);
        check_redundant_allow_any(expression, block, diagnostics);
        if let (true, Some(block_expression)) = (is_valid, block_expression) {
            combined::check(block_expression, expression, block, diagnostics);
        }
    }
}

/// Rejects `AllowAny` on an action whose block has a permission, because it cannot widen that permission.
fn check_redundant_allow_any(expression: &Expression, block: &Block, diagnostics: &mut Diagnostics) {
    if block.permission.restricts() && expression.sole_permission_name().as_deref() == Some("AllowAny") {
        let text = "`AllowAny` has no effect, because the permission of the block must hold as well; remove it";
        diagnostics.error(&expression.tokens, text);
    }
}
