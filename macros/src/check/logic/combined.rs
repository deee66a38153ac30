//! Checks of an action's expression together with that of its block, because both must hold.

use super::expression::{find_opposites, tree_without_openers};
use super::truth_table::{self, TruthTable, conjuncts};
use crate::diagnostics::Diagnostics;
use crate::model::Leaf;
use crate::model::block::Block;
use crate::model::expression::{Expression, Tree, object_permission_name};

/// Checks that the expressions of block and action can hold together, and that each leaf with a parameter has an effect.
pub(super) fn check(block_expression: &Expression, action: &Expression, block: &Block, diagnostics: &mut Diagnostics) {
    let Some(tree_without_openers) = tree_without_openers(action) else { return };
    let mut leaves: Vec<&str> = block_expression.leaves.iter().map(|leaf| leaf.key.as_str()).collect();
    let mut positions = Vec::new();
    for leaf in &action.leaves {
        let known = leaves.iter().position(|key| *key == leaf.key);
        positions.push(known.unwrap_or(leaves.len()));
        if known.is_none() {
            leaves.push(&leaf.key);
        }
    }
    let (block_parts, parts) = (conjuncts(&block_expression.tree), conjuncts(&tree_without_openers));
    let action_parts: Vec<Tree> = parts.iter().map(|part| remap(part, &positions)).collect();
    let both: Vec<Tree> = block_parts.iter().copied().chain(&action_parts).cloned().collect();
    let Some(conflict) = conflict(&both, leaves.len()) else {
        for (leaf, position) in action.leaves.iter().zip(&positions).filter(|(leaf, _)| names_parameter(leaf)) {
            let makes_leaf_redundant =
                |block_expression: &[&Tree]| has_no_effect(*position, block_expression, &action_parts, leaves.len());
            if let Some(reason) = reason(&block_parts, makes_leaf_redundant) {
                let (reason, kind) =
                    (conjunction_text(reason.into_iter().cloned().collect(), block_expression), block.kind.name());
                let text = format!(
                    "`{}` has no effect when `{reason}` of the `#[{kind}]` block holds; change one of them",
                    leaf.text
                );
                diagnostics.add(syn::Error::new(leaf.path_span(), text));
            }
        }
        return;
    };
    let chosen = |parts: &[&Tree], from: usize| -> Vec<Tree> {
        let terms = conflict.iter().filter_map(|position| parts.get(position.checked_sub(from)?));
        terms.copied().cloned().collect()
    };
    let (one, other) = (
        conjunction_text(chosen(&parts, block_parts.len()), action),
        conjunction_text(chosen(&block_parts, 0), block_expression),
    );
    let (whole, kind) = (action.text(&action.tree), block.kind.name());
    let consequence = if one == whole { String::new() } else { format!(", so `{whole}` never does") };
    let text =
        format!("`{one}` can never hold when `{other}` of the `#[{kind}]` block does{consequence}; change one of them");
    diagnostics.error(&action.tokens, text);
}

/// Returns whether the leaf decides about a parameter, so that without effect it would leave the object unchecked.
fn names_parameter(leaf: &Leaf) -> bool {
    leaf.subject.is_some() && object_permission_name(leaf).as_deref() != Some("AllowAny")
}

/// Returns whether the leaf has no effect when the parts of the block hold. With too many leaves for a truth table, this is
/// `false`.
fn has_no_effect(leaf: usize, block_expression: &[&Tree], action_parts: &[Tree], leaves: usize) -> bool {
    let parts = block_expression.iter().copied().chain(action_parts).cloned().collect();
    TruthTable::new(&Tree::All(parts), leaves).is_some_and(|table| !table.depends_on(leaf))
}

/// Returns a minimal set of parts of the block that makes the leaf redundant.
fn reason<'t>(block_expression: &[&'t Tree], makes_leaf_redundant: impl Fn(&[&Tree]) -> bool) -> Option<Vec<&'t Tree>> {
    makes_leaf_redundant(block_expression).then(|| {
        block_expression.iter().fold(block_expression.to_vec(), |kept, part| {
            let others: Vec<&Tree> = kept.iter().copied().filter(|other| !std::ptr::eq(*other, *part)).collect();
            if makes_leaf_redundant(&others) { others } else { kept }
        })
    })
}

/// Returns the fewest parts that can never hold together.
fn conflict(parts: &[Tree], leaves: usize) -> Option<Vec<usize>> {
    let tables: Option<Vec<TruthTable>> = parts.iter().map(|part| TruthTable::new(part, leaves)).collect();
    let Some(tables) = tables else {
        return find_opposites(&parts.iter().collect::<Vec<_>>()).map(|(one, other)| vec![one, other]);
    };
    let conflict = truth_table::find_conflict(&tables);
    (!conflict.is_empty()).then_some(conflict)
}

/// Returns the text of parts joined by `&`.
fn conjunction_text(mut parts: Vec<Tree>, expression: &Expression) -> String {
    let tree = if parts.len() == 1 { parts.remove(0) } else { Tree::All(parts) };
    expression.text(&tree)
}

/// Returns the tree with each leaf replaced by its new position.
fn remap(tree: &Tree, positions: &[usize]) -> Tree {
    match tree {
        Tree::Leaf(leaf) => Tree::Leaf(positions[*leaf]),
        Tree::Not(inner) => Tree::Not(Box::new(remap(inner, positions))),
        Tree::Any(parts) => Tree::Any(parts.iter().map(|part| remap(part, positions)).collect()),
        Tree::All(parts) => Tree::All(parts.iter().map(|part| remap(part, positions)).collect()),
    }
}

#[cfg(test)]
mod tests {
    use crate::check::test_support;

    const SO: &str = " of the `#[handler]` block does";

    #[test]
    fn parameter_leaf_without_effect_is_rejected() {
        for (block_expression, action, leaf, reason) in [
            ("A", "A | B(x)", "B(x)", "A"),
            ("C & A & D", "A & B(y) | B(x)", "", ""),
            ("C & (A & D)", "E & (A | B(x))", "B(x)", "A"),
            ("C & (A | D)", "(A | D | B(x)) & E", "B(x)", "A | D"),
            ("a.b", "a.b | a.b(x)", "a.b(x)", "a.b"),
            ("A", "B | C(x)", "", ""),
            ("A", "A & B(x)", "", ""),
            ("A", "!A | B(x)", "", ""),
            ("A", "A & AllowAny(x)", "", ""),
        ] {
            let action = format!("#[action(permission = {action})] fn act(&self, x: Object<T>, y: Object<T>) {{}}");
            let errors = test_support::handler_errors(&format!("permission = {block_expression}"), &action);
            let errors: Vec<_> = errors.into_iter().filter(|errors| !errors.contains("is evaluated for")).collect();
            if leaf.is_empty() {
                assert_eq!(errors, [""; 0], "{block_expression} and {action}");
            } else {
                let expected = format!("`{leaf}` has no effect when `{reason}` of the `#[handler]` block holds");
                assert!(
                    errors.len() == 1 && errors[0].starts_with(&expected),
                    "{block_expression} and {action}: {errors:?}"
                );
            }
        }
    }

    #[test]
    fn conflict_with_the_block_names_the_smallest_reason() {
        let errors = |block_expression: &str, action: &str| {
            let action = format!("#[action(permission = {action})] fn act(&self, x: Object<T>, a: u8) {{}}");
            let errors = test_support::handler_errors(&format!("permission = {block_expression}"), &action);
            errors.into_iter().filter(|errors| !errors.contains("is evaluated for")).collect::<Vec<_>>().join("\n")
        };
        for (block_expression, action, expected) in [
            ("A", "B", String::new()),
            ("A", "AllowAny(x)", String::new()),
            ("A", "AllowAny(x) & B", String::new()),
            ("a.b", "!A | a.c", String::new()),
            ("A", "!A", format!("`!A` can never hold when `A`{SO}; change one of them")),
            (
                "A & Banned",
                "!Banned & B(x)",
                format!(
                    "`!Banned` can never hold when `Banned`{SO}, so `!Banned & B(x)` never does; change one of them"
                ),
            ),
            (
                "C & (A | B)",
                "!A & D & !B & AllowAny(x)",
                format!(
                    "`!A & !B` can never hold when `A | B`{SO}, so `!A & D & !B & AllowAny(x)` never does; \
                     change one of them"
                ),
            ),
            ("A & C & !B", "B | !A", format!("`B | !A` can never hold when `A & !B`{SO}; change one of them")),
        ] {
            assert_eq!(errors(block_expression, action), expected, "{block_expression} and {action}");
        }
        let many: Vec<_> = (0..17).map(|leaf| format!("L{leaf}")).collect();
        let errors = errors(&many.join(" & "), "A & !L3");
        assert_eq!(errors, format!("`!L3` can never hold when `L3`{SO}, so `A & !L3` never does; change one of them"));
    }
}
