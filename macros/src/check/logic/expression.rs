//! Checks of one permission expression: one that always or never holds, or has a leaf without effect, is a mistake.

use super::truth_table::{self, TruthTable, conjuncts};
use crate::diagnostics::Diagnostics;
use crate::model::expression::{Expression, Tree, object_permission_name, permission_name};
use crate::model::{Leaf, unraw_name};

/// Checks one expression. Returns whether it has no errors.
pub(in crate::check) fn check_expression(expression: &Expression, diagnostics: &mut Diagnostics) -> bool {
    if expression.sole_permission_name().is_some() {
        return true;
    }
    let mut is_valid = true;
    let mut report = |leaf: &Leaf, text: String| {
        diagnostics.add(syn::Error::new(leaf.path_span(), text));
        is_valid = false;
    };
    for leaf in &expression.leaves {
        if let Some(name) = permission_name(leaf).filter(|name| name == "AllowAny" || name == "DenyAll") {
            report(
                leaf,
                format!("`{name}` cannot be combined with other permissions; remove it, or write `{name}` alone"),
            );
        }
        if object_permission_name(leaf).as_deref() == Some("DenyAll") {
            report(leaf, "`DenyAll` takes no object; write `DenyAll` alone".to_owned());
        }
    }
    let misplaced_openers = misplaced_openers(expression);
    for leaf in expression.leaves.iter().filter(|leaf| !misplaced_openers.iter().any(|other| other.key == leaf.key)) {
        if let Some(other) = redundant_with(leaf, expression) {
            report(
                leaf,
                format!(
                    "`{}` has no effect, because `{}` is evaluated for the same object; remove it",
                    leaf.text, other.text
                ),
            );
        }
    }
    for leaf in misplaced_openers {
        let text = "cannot be used inside `|` or `!`; write it alone, or combine it with the whole expression by `&`";
        report(leaf, format!("`{}` {text}", leaf.text));
    }
    is_valid
        && check_repetition(&expression.tree, expression, diagnostics)
        && check_truth_table(expression, diagnostics)
}

/// Returns whether the tree is an opener, that is `AllowAny(message)`, which states that the object needs no permission.
fn is_object_opener(tree: &Tree, expression: &Expression) -> bool {
    match tree {
        Tree::Leaf(leaf) => object_permission_name(&expression.leaves[*leaf]).as_deref() == Some("AllowAny"),
        _ => false,
    }
}

/// Returns the leaf that is evaluated for the same object as this opener.
fn redundant_with<'e>(leaf: &Leaf, expression: &'e Expression) -> Option<&'e Leaf> {
    let check_redundant_allow_any = |leaf: &Leaf| object_permission_name(leaf).as_deref() == Some("AllowAny");
    let about = leaf.subject.as_ref().filter(|_| check_redundant_allow_any(leaf)).map(unraw_name)?;
    expression.leaves.iter().find(|other| {
        !check_redundant_allow_any(other) && other.subject.as_ref().map(unraw_name).as_ref() == Some(&about)
    })
}

/// Returns each opener inside `|` or `!`, where it would allow more than its object.
fn misplaced_openers(expression: &Expression) -> Vec<&Leaf> {
    fn collect<'a>(tree: &Tree, expression: &'a Expression, found: &mut Vec<&'a Leaf>) {
        match tree {
            Tree::Leaf(leaf) if is_object_opener(tree, expression) => found.push(&expression.leaves[*leaf]),
            Tree::Leaf(_) => {}
            Tree::Not(inner) => collect(inner, expression, found),
            Tree::Any(parts) | Tree::All(parts) => parts.iter().for_each(|part| collect(part, expression, found)),
        }
    }
    let mut found = Vec::new();
    for part in conjuncts(&expression.tree).into_iter().filter(|part| !is_object_opener(part, expression)) {
        collect(part, expression, &mut found);
    }
    found
}

/// Returns the tree without openers, which do not restrict it, or `None` if nothing else is left.
pub(super) fn tree_without_openers(expression: &Expression) -> Option<Tree> {
    let parts = conjuncts(&expression.tree);
    let asking: Vec<&Tree> = parts.iter().copied().filter(|part| !is_object_opener(part, expression)).collect();
    match asking.as_slice() {
        [] => None,
        [one] => Some((*one).clone()),
        asking if asking.len() == parts.len() => Some(expression.tree.clone()),
        asking => Some(Tree::All(asking.iter().copied().cloned().collect())),
    }
}

/// Checks for repeated parts of one operator and for `!!`, at every depth.
fn check_repetition(tree: &Tree, expression: &Expression, diagnostics: &mut Diagnostics) -> bool {
    match tree {
        Tree::Leaf(_) => true,
        Tree::Not(inner) => {
            if let Tree::Not(twice) = &**inner {
                let text = format!("`!!` has no effect; write `{}`", expression.operand_text(twice));
                diagnostics.error(&expression.tokens, text);
                return false;
            }
            check_repetition(inner, expression, diagnostics)
        }
        Tree::Any(parts) | Tree::All(parts) => {
            for (position, part) in parts.iter().enumerate() {
                if parts[..position].contains(part) {
                    let text = format!("`{}` is repeated; remove one of them", expression.operand_text(part));
                    diagnostics.error(&expression.tokens, text);
                    return false;
                }
            }
            parts.iter().all(|part| check_repetition(part, expression, diagnostics))
        }
    }
}

/// Checks the truth table: the expression is not constant, and each leaf has an effect.
fn check_truth_table(expression: &Expression, diagnostics: &mut Diagnostics) -> bool {
    let Some(tree_without_openers) = tree_without_openers(expression) else { return true };
    let leaves = expression.leaves.len();
    let Some(table) = TruthTable::new(&tree_without_openers, leaves) else {
        return check_opposites(&tree_without_openers, expression, diagnostics);
    };
    if let Some(text) = constant_message(&table, &tree_without_openers, expression) {
        diagnostics.error(&expression.tokens, text);
        return false;
    }
    let whole = expression.text(&expression.tree);
    for (position, leaf) in expression.leaves.iter().enumerate() {
        if !table.depends_on(position) && !is_object_opener(&Tree::Leaf(position), expression) {
            let text = format!("`{}` has no effect in `{whole}`; remove it", leaf.text);
            diagnostics.add(syn::Error::new(leaf.path_span(), text));
            return false;
        }
    }
    true
}

/// Returns the error message if the expression or a part of it always or never holds. It begins with the smallest reason.
fn constant_message(table: &TruthTable, tree_without_openers: &Tree, expression: &Expression) -> Option<String> {
    let leaves = expression.leaves.len();
    let whole = expression.text(&expression.tree);
    let (part, reason, instead) = match table.constant().zip(truth_table::smallest_reason(tree_without_openers, leaves))
    {
        Some((true, reason)) => ((whole, true), reason, "write `AllowAny` to allow every caller".to_owned()),
        Some((false, reason)) => ((whole, false), reason, "write `DenyAll` to deny every caller".to_owned()),
        None => {
            let (part, holds, reason) = truth_table::inner_constant(tree_without_openers, leaves)?;
            ((expression.text(part), holds), reason, format!("remove that part of `{whole}`, or change it"))
        }
    };
    let (part, part_holds) = part;
    let errors = expression.text(&reason.tree);
    let verdict = if reason.holds { "always holds" } else { "can never hold" };
    let consequence = match (errors == part, part_holds) {
        (true, _) => String::new(),
        (false, true) => format!(", so `{part}` always does"),
        (false, false) => format!(", so `{part}` never does"),
    };
    Some(format!("`{errors}` {verdict}{consequence}; {instead}"))
}

/// Checks an expression with too many leaves for a truth table: no operator has a part and its negation.
fn check_opposites(tree: &Tree, expression: &Expression, diagnostics: &mut Diagnostics) -> bool {
    let (parts, wrong) = match tree {
        Tree::Leaf(_) => return true,
        Tree::Not(inner) => return check_opposites(inner, expression, diagnostics),
        Tree::All(parts) => (parts, "can never hold together"),
        Tree::Any(parts) => (parts, "cover every case"),
    };
    if let Some((part, _)) = find_opposites(&parts.iter().collect::<Vec<_>>()) {
        let part = expression.operand_text(&parts[part]);
        diagnostics.error(&expression.tokens, format!("`{part}` and `!{part}` {wrong}; remove one of them"));
        return false;
    }
    parts.iter().all(|part| check_opposites(part, expression, diagnostics))
}

/// Returns the positions of a part and its negation.
pub(super) fn find_opposites(parts: &[&Tree]) -> Option<(usize, usize)> {
    parts.iter().enumerate().find_map(|(denied, part)| match part {
        Tree::Not(inner) => Some((parts.iter().position(|part| *part == &**inner)?, denied)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::check_expression;
    use crate::diagnostics::Diagnostics;
    use crate::model::expression::Expression;
    use crate::syntax::permission::PermissionValue;
    use syn::parse::Parser;

    fn errors(text: &str) -> String {
        let mut diagnostics = Diagnostics::new();
        let written = PermissionValue::parse.parse_str(text).unwrap().into_expression().unwrap();
        let expression = Expression::new(&written, &mut diagnostics);
        check_expression(&expression, &mut diagnostics);
        diagnostics.finish().map_or_else(|error| error.to_string(), |()| String::new())
    }

    #[test]
    fn expression_with_effect_is_accepted() {
        for text in [
            "AllowAny",
            "DenyAll",
            "A & B | !C",
            "A & (B | C) & !D",
            "(A & B) | (A & C)",
            "(A & !B) | (!A & B)",
            "HasRole(\"a\") | HasRole(\"b\")",
        ] {
            assert_eq!(errors(text), "", "{text}");
        }
    }

    #[test]
    fn long_expression_with_opposite_neighbours_is_rejected() {
        let many: Vec<_> = (0..17).map(|leaf| format!("L{leaf}")).collect();
        let (all, any) = (many.join(" & "), many.join(" | "));
        assert_eq!(errors(&any), "");
        assert_eq!(errors(&format!("{all} & !A")), "");
        assert!(errors(&format!("{all} & !L3")).contains("`L3` and `!L3` can never hold together"));
        assert!(errors(&format!("{any} | !L3")).contains("`L3` and `!L3` cover every case"));
        assert!(errors(&format!("({any}) & !({any})")).contains("can never hold together"));
        assert!(errors(&format!("{any} | (A & !A)")).contains("`A` and `!A` can never hold together"));
    }

    #[test]
    fn expression_part_without_effect_is_rejected() {
        for (text, words) in [
            ("A | (A & B)", "`B` has no effect"),
            ("(A | B) & (A | !B)", "`B` has no effect"),
            ("A & A", "`A` is repeated"),
            ("(A | B) & (A | B)", "`(A | B)` is repeated"),
            ("!!A", "write `A`"),
            ("AllowAny | A", "`AllowAny` cannot be combined"),
            ("!portcullis::DenyAll", "`DenyAll` cannot be combined"),
            ("DenyAll(a)", "`DenyAll` takes no object"),
            ("A | r#AllowAny", "`AllowAny` cannot be combined"),
            ("A | r#AllowAny(a)", "cannot be used inside"),
            ("A & !r#A", "can never hold"),
            ("A(a) | A(r#a)", "is repeated"),
            ("A::<B>(\"a\") | A<B>(\"a\",)", "is repeated"),
            ("crate.a.b | crate::a.b", "is repeated"),
            (
                "A(a) & AllowAny(a)",
                "`AllowAny(a)` has no effect, because `A(a)` is evaluated for the same object; remove it",
            ),
            ("(a.b(r#a) | A) & AllowAny(a)", "`AllowAny(a)` has no effect, because `a.b(r#a)`"),
        ] {
            let errors = errors(text);
            assert!(errors.contains(words), "{text}: {errors}");
        }
    }

    #[test]
    fn constant_expression_names_the_smallest_reason() {
        const DENY_ALL: &str = "write `DenyAll` to deny every caller";
        const ALLOW_ALL: &str = "write `AllowAny` to allow every caller";
        for (text, reason, instead) in [
            ("A & !A", "`A & !A` can never hold", DENY_ALL),
            ("A & B & !A", "`A & !A` can never hold, so `A & B & !A` never does", DENY_ALL),
            ("A & (B & (C & !A))", "`A & !A` can never hold, so `A & (B & (C & !A))` never does", DENY_ALL),
            ("(A | B) & !A & !B", "`(A | B) & !A & !B` can never hold", DENY_ALL),
            (
                "C & (A | B) & D & !A & !B",
                "`(A | B) & !A & !B` can never hold, so `C & (A | B) & D & !A & !B` never does",
                DENY_ALL,
            ),
            ("B & (A | C) & !B", "`B & !B` can never hold, so `B & (A | C) & !B` never does", DENY_ALL),
            ("A | !A", "`A | !A` always holds", ALLOW_ALL),
            ("A | B | !A", "`A | !A` always holds, so `A | B | !A` always does", ALLOW_ALL),
            ("B & !(A | !A)", "`A | !A` always holds, so `B & !(A | !A)` never does", DENY_ALL),
            ("B | !(A & C & !A)", "`A & !A` can never hold, so `B | !(A & C & !A)` always does", ALLOW_ALL),
            ("C | (A & !A)", "`A & !A` can never hold", "remove that part of `C | (A & !A)`, or change it"),
            (
                "C | (A & B & !A)",
                "`A & !A` can never hold, so `A & B & !A` never does",
                "remove that part of `C | (A & B & !A)`, or change it",
            ),
            ("C & (A | !A)", "`A | !A` always holds", "remove that part of `C & (A | !A)`, or change it"),
            (
                "(A & !A) | (B & !B)",
                "`A & !A` can never hold",
                "remove that part of `(A & !A) | (B & !B)`, or change it",
            ),
            (
                "A(x) & !A(x) & AllowAny(y)",
                "`A(x) & !A(x)` can never hold, so `A(x) & !A(x) & AllowAny(y)` never does",
                DENY_ALL,
            ),
        ] {
            assert_eq!(errors(text), format!("{reason}; {instead}"), "{text}");
        }
    }

    #[test]
    fn reason_among_many_parts_is_minimal() {
        // More parts than `MAX_SEARCHED_PARTS`, with fewer leaves than `MAX_LEAVES`.
        let pairs = (0..4).flat_map(|one| (one + 1..8).map(move |other| format!("(L{one} | L{other})")));
        let parts: Vec<_> = pairs.chain((0..4).map(|leaf| format!("!L{leaf}"))).collect();
        assert!(parts.len() > 16);
        let errors = errors(&parts.join(" & "));
        let reason = errors.split('`').nth(1).unwrap();
        assert_eq!(reason, "(L2 | L3) & !L2 & !L3", "{errors}");
    }

    #[test]
    fn allow_any_for_an_object_does_not_affect_the_truth_table() {
        for permission in [
            "AllowAny(a)",
            "AllowAny(a) & AllowAny(b)",
            "A & AllowAny(a)",
            "A & (AllowAny(a) & (B | C))",
            "(A | B) & portcullis::AllowAny(a)",
        ] {
            assert_eq!(errors(permission), "", "{permission}");
        }
        for permission in ["A | AllowAny(a)", "!AllowAny(a)", "A & (B | AllowAny(a))", "A & !(B & AllowAny(a))"] {
            assert!(errors(permission).contains("`AllowAny(a)` cannot be used inside `|` or `!`"), "{permission}");
        }
        assert!(errors("AllowAny(a) & AllowAny(a)").contains("is repeated"));
        assert!(errors("AllowAny(a) & AllowAny").contains("`AllowAny` cannot be combined"));
        assert!(errors("A & A & AllowAny(a)").contains("`A` is repeated"));
    }
}
