//! Whether an action's expression can hold where its block's does: both must.

use super::expression::{opposed, weighed};
use super::truth_table::{self, Table, all_of};
use crate::diagnostics::Diagnostics;
use crate::model::Leaf;
use crate::model::block::Block;
use crate::model::expression::{Expression, Tree, object_permission_name};

/// Can the block's expression and the action's hold at once?
pub(super) fn check(own: &Expression, action: &Expression, block: &Block, diagnostics: &mut Diagnostics) {
    let Some(weighed) = weighed(action) else { return };
    let mut leaves: Vec<&str> = own.leaves.iter().map(|leaf| leaf.key.as_str()).collect();
    let mut places = Vec::new();
    for leaf in &action.leaves {
        let known = leaves.iter().position(|key| *key == leaf.key);
        places.push(known.unwrap_or(leaves.len()));
        if known.is_none() {
            leaves.push(&leaf.key);
        }
    }
    let (first, second) = (all_of(&own.tree), all_of(&weighed));
    let narrowed: Vec<Tree> = second.iter().map(|part| moved(part, &places)).collect();
    let both: Vec<Tree> = first.iter().copied().chain(&narrowed).cloned().collect();
    let Some(clash) = clash(&both, leaves.len()) else {
        for (leaf, place) in action.leaves.iter().zip(&places).filter(|(leaf, _)| asks_about_a_parameter(leaf)) {
            let needless = |own: &[&Tree]| idle(*place, own, &narrowed, leaves.len());
            if let Some(reason) = reason(&first, needless) {
                let (reason, kind) = (joined(reason.into_iter().cloned().collect(), own), block.kind.name());
                let text = format!(
                    "`{}` makes no difference where `{reason}` of the `#[{kind}]` block holds; change one of them",
                    leaf.text
                );
                diagnostics.add(syn::Error::new(leaf.path_span(), text));
            }
        }
        return;
    };
    let chosen = |parts: &[&Tree], from: usize| -> Vec<Tree> {
        let of = clash.iter().filter_map(|position| parts.get(position.checked_sub(from)?));
        of.copied().cloned().collect()
    };
    let (one, other) = (joined(chosen(&second, first.len()), action), joined(chosen(&first, 0), own));
    let (whole, kind) = (action.text(&action.tree), block.kind.name());
    let so = if one == whole { String::new() } else { format!(", so `{whole}` never does") };
    let text = format!("`{one}` can never hold where `{other}` of the `#[{kind}]` block does{so}; change one of them");
    diagnostics.error(&action.tokens, text);
}

/// A leaf that would let its object through unseen if it decided nothing.
fn asks_about_a_parameter(leaf: &Leaf) -> bool {
    leaf.subject.is_some() && object_permission_name(leaf).as_deref() != Some("AllowAny")
}

/// Is what the leaf says without effect where the parts of the block hold? What is too long to weigh is not held against it.
fn idle(leaf: usize, own: &[&Tree], narrowed: &[Tree], leaves: usize) -> bool {
    let parts = own.iter().copied().chain(narrowed).cloned().collect();
    Table::of(&Tree::All(parts), leaves).is_some_and(|table| !table.depends_on(leaf))
}

/// Parts of the block that are enough for it, none to spare.
fn reason<'t>(own: &[&'t Tree], needless: impl Fn(&[&Tree]) -> bool) -> Option<Vec<&'t Tree>> {
    needless(own).then(|| {
        own.iter().fold(own.to_vec(), |kept, part| {
            let others: Vec<&Tree> = kept.iter().copied().filter(|other| !std::ptr::eq(*other, *part)).collect();
            if needless(&others) { others } else { kept }
        })
    })
}

/// The fewest of the parts that can never hold together.
fn clash(parts: &[Tree], leaves: usize) -> Option<Vec<usize>> {
    let tables: Option<Vec<Table>> = parts.iter().map(|part| Table::of(part, leaves)).collect();
    let Some(tables) = tables else {
        return opposed(&parts.iter().collect::<Vec<_>>()).map(|(one, other)| vec![one, other]);
    };
    let clash = truth_table::clash(&tables);
    (!clash.is_empty()).then_some(clash)
}

/// The text of parts that must all hold.
fn joined(mut parts: Vec<Tree>, expression: &Expression) -> String {
    let tree = if parts.len() == 1 { parts.remove(0) } else { Tree::All(parts) };
    expression.text(&tree)
}

/// The same tree over other places of its leaves.
fn moved(tree: &Tree, places: &[usize]) -> Tree {
    match tree {
        Tree::Leaf(leaf) => Tree::Leaf(places[*leaf]),
        Tree::Not(inner) => Tree::Not(Box::new(moved(inner, places))),
        Tree::Any(parts) => Tree::Any(parts.iter().map(|part| moved(part, places)).collect()),
        Tree::All(parts) => Tree::All(parts.iter().map(|part| moved(part, places)).collect()),
    }
}

#[cfg(test)]
mod tests {
    use crate::check::test_support;

    const SO: &str = " of the `#[handler]` block does";

    #[test]
    fn a_leaf_about_a_parameter_must_matter() {
        for (own, action, leaf, reason) in [
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
            let told = test_support::of_a_handler(&format!("permission = {own}"), &action);
            let told: Vec<_> = told.into_iter().filter(|told| !told.contains("is asked about")).collect();
            if leaf.is_empty() {
                assert_eq!(told, [""; 0], "{own} and {action}");
            } else {
                let expected = format!("`{leaf}` makes no difference where `{reason}` of the `#[handler]` block holds");
                assert!(told.len() == 1 && told[0].starts_with(&expected), "{own} and {action}: {told:?}");
            }
        }
    }

    #[test]
    fn the_smallest_reason_is_told() {
        let told = |own: &str, action: &str| {
            let action = format!("#[action(permission = {action})] fn act(&self, x: Object<T>, a: u8) {{}}");
            let told = test_support::of_a_handler(&format!("permission = {own}"), &action);
            told.into_iter().filter(|told| !told.contains("is asked about")).collect::<Vec<_>>().join("\n")
        };
        for (own, action, expected) in [
            ("A", "B", String::new()),
            ("A", "AllowAny(x)", String::new()),
            ("A", "AllowAny(x) & B", String::new()),
            ("a.b", "!A | a.c", String::new()),
            ("A", "!A", format!("`!A` can never hold where `A`{SO}; change one of them")),
            (
                "A & Banned",
                "!Banned & B(x)",
                format!(
                    "`!Banned` can never hold where `Banned`{SO}, so `!Banned & B(x)` never does; change one of them"
                ),
            ),
            (
                "C & (A | B)",
                "!A & D & !B & AllowAny(x)",
                format!(
                    "`!A & !B` can never hold where `A | B`{SO}, so `!A & D & !B & AllowAny(x)` never does; change one of them"
                ),
            ),
            ("A & C & !B", "B | !A", format!("`B | !A` can never hold where `A & !B`{SO}; change one of them")),
        ] {
            assert_eq!(told(own, action), expected, "{own} and {action}");
        }
        let many: Vec<_> = (0..17).map(|leaf| format!("L{leaf}")).collect();
        let told = told(&many.join(" & "), "A & !L3");
        assert_eq!(told, format!("`!L3` can never hold where `L3`{SO}, so `A & !L3` never does; change one of them"));
    }
}
