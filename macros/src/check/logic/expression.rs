//! Whether a permission expression says anything: one that never or always holds, or names a leaf that cannot matter, is a
//! mistake of whoever wrote it.

use super::combined;
use super::truth_table::{self, Table, all_of};
use crate::diagnostics::Diagnostics;
use crate::model::block::{Block, BlockPermission};
use crate::model::expression::{Expression, Tree, object_permission_name, permission_name};
use crate::model::{Leaf, unraw_name};

pub(in crate::check) fn check(block: &Block, diagnostics: &mut Diagnostics) {
    // An expression that is wrong by itself is not held against others as well.
    let own = block.permission.expression().filter(|expression| alone(expression, diagnostics));
    if let Some(expression) = &block.connect {
        alone(expression, diagnostics);
    }
    for route in &block.routes {
        if let Some(expression) = &route.permission {
            alone(expression, diagnostics);
        }
    }
    for action in &block.actions {
        let Some(expression) = &action.permission else { continue };
        let sound = alone(expression, diagnostics);
        opens(expression, block, diagnostics);
        if let (true, Some(own)) = (sound, own) {
            combined::check(own, expression, block, diagnostics);
        }
    }
}

/// Weighs one expression by itself; says whether it is sound.
pub(in crate::check) fn alone(expression: &Expression, diagnostics: &mut Diagnostics) -> bool {
    if expression.sole_permission_name().is_some() {
        return true;
    }
    let mut sound = true;
    let mut refuse = |leaf: &Leaf, text: String| {
        diagnostics.add(syn::Error::new(leaf.path_span(), text));
        sound = false;
    };
    for leaf in &expression.leaves {
        if let Some(name) = permission_name(leaf).filter(|name| name == "AllowAny" || name == "DenyAll") {
            refuse(leaf, format!("`{name}` stands alone; remove it here, or write `{name}` and nothing else"));
        }
        if object_permission_name(leaf).as_deref() == Some("DenyAll") {
            refuse(leaf, "`DenyAll` needs no object to refuse everybody; write `DenyAll` and nothing else".to_owned());
        }
    }
    let misplaced = misplaced(expression);
    for leaf in expression.leaves.iter().filter(|leaf| !misplaced.iter().any(|other| other.key == leaf.key)) {
        if let Some(other) = superfluous(leaf, expression) {
            refuse(leaf, format!("`{}` opens nothing beside `{}`; remove it", leaf.text, other.text));
        }
    }
    for leaf in misplaced {
        let text = "cannot stand under `|` or `!`; write it alone, or join it to the whole expression by `&`";
        refuse(leaf, format!("`{}` {text}", leaf.text));
    }
    sound && level(&expression.tree, expression, diagnostics) && outcome(expression, diagnostics)
}

/// `AllowAny(message)`: says aloud that nothing more is asked about the object.
fn opens_an_object(tree: &Tree, expression: &Expression) -> bool {
    match tree {
        Tree::Leaf(leaf) => object_permission_name(&expression.leaves[*leaf]).as_deref() == Some("AllowAny"),
        _ => false,
    }
}

/// What asks about the object that this `AllowAny(message)` opens.
fn superfluous<'e>(leaf: &Leaf, expression: &'e Expression) -> Option<&'e Leaf> {
    let opens = |leaf: &Leaf| object_permission_name(leaf).as_deref() == Some("AllowAny");
    let about = leaf.subject.as_ref().filter(|_| opens(leaf)).map(unraw_name)?;
    expression
        .leaves
        .iter()
        .find(|other| !opens(other) && other.subject.as_ref().map(unraw_name).as_ref() == Some(&about))
}

/// Each `AllowAny(message)` that would open more than its object.
fn misplaced(expression: &Expression) -> Vec<&Leaf> {
    fn within<'a>(tree: &Tree, expression: &'a Expression, found: &mut Vec<&'a Leaf>) {
        match tree {
            Tree::Leaf(leaf) if opens_an_object(tree, expression) => found.push(&expression.leaves[*leaf]),
            Tree::Leaf(_) => {}
            Tree::Not(inner) => within(inner, expression, found),
            Tree::Any(parts) | Tree::All(parts) => parts.iter().for_each(|part| within(part, expression, found)),
        }
    }
    let mut found = Vec::new();
    for part in all_of(&expression.tree).into_iter().filter(|part| !opens_an_object(part, expression)) {
        within(part, expression, &mut found);
    }
    found
}

/// What is left to weigh without each `AllowAny(message)`, which narrows nothing.
pub(super) fn weighed(expression: &Expression) -> Option<Tree> {
    let parts = all_of(&expression.tree);
    let asking: Vec<&Tree> = parts.iter().copied().filter(|part| !opens_an_object(part, expression)).collect();
    match asking.as_slice() {
        [] => None,
        [one] => Some((*one).clone()),
        asking if asking.len() == parts.len() => Some(expression.tree.clone()),
        asking => Some(Tree::All(asking.iter().copied().cloned().collect())),
    }
}

/// What is wrong among the parts of one operator, and within them.
fn level(tree: &Tree, expression: &Expression, diagnostics: &mut Diagnostics) -> bool {
    match tree {
        Tree::Leaf(_) => true,
        Tree::Not(inner) => {
            if let Tree::Not(twice) = &**inner {
                let text = format!("`!!` changes nothing; write `{}`", expression.operand_text(twice));
                diagnostics.error(&expression.tokens, text);
                return false;
            }
            level(inner, expression, diagnostics)
        }
        Tree::Any(parts) | Tree::All(parts) => {
            for (position, part) in parts.iter().enumerate() {
                if parts[..position].contains(part) {
                    let text = format!("`{}` stands here twice; remove one of them", expression.operand_text(part));
                    diagnostics.error(&expression.tokens, text);
                    return false;
                }
            }
            parts.iter().all(|part| level(part, expression, diagnostics))
        }
    }
}

/// What the truth table says.
fn outcome(expression: &Expression, diagnostics: &mut Diagnostics) -> bool {
    let Some(weighed) = weighed(expression) else { return true };
    let leaves = expression.leaves.len();
    let Some(table) = Table::of(&weighed, leaves) else {
        return side_by_side(&weighed, expression, diagnostics);
    };
    if let Some(text) = constant(&table, &weighed, expression) {
        diagnostics.error(&expression.tokens, text);
        return false;
    }
    let whole = expression.text(&expression.tree);
    for (position, leaf) in expression.leaves.iter().enumerate() {
        if !table.depends_on(position) && !opens_an_object(&Tree::Leaf(position), expression) {
            let text = format!("`{}` makes no difference in `{whole}`; remove it", leaf.text);
            diagnostics.add(syn::Error::new(leaf.path_span(), text));
            return false;
        }
    }
    true
}

/// What to say where the whole or a part of it always or never holds: the smallest reason first.
fn constant(table: &Table, weighed: &Tree, expression: &Expression) -> Option<String> {
    let leaves = expression.leaves.len();
    let whole = expression.text(&expression.tree);
    let (part, reason, instead) = match table.constant().zip(truth_table::why(weighed, leaves)) {
        Some((true, reason)) => ((whole, true), reason, "write `AllowAny` if everybody may pass".to_owned()),
        Some((false, reason)) => ((whole, false), reason, "write `DenyAll` if nobody may pass".to_owned()),
        None => {
            let (part, holds, reason) = truth_table::inner(weighed, leaves)?;
            ((expression.text(part), holds), reason, format!("remove that part of `{whole}`, or change it"))
        }
    };
    let (part, part_holds) = part;
    let told = expression.text(&reason.tree);
    let says = if reason.holds { "always holds" } else { "can never hold" };
    let so = match (told == part, part_holds) {
        (true, _) => String::new(),
        (false, true) => format!(", so `{part}` always does"),
        (false, false) => format!(", so `{part}` never does"),
    };
    Some(format!("`{told}` {says}{so}; {instead}"))
}

/// What can be said of an expression that is too long to weigh: that something stands beside its own opposite.
fn side_by_side(tree: &Tree, expression: &Expression, diagnostics: &mut Diagnostics) -> bool {
    let (parts, wrong) = match tree {
        Tree::Leaf(_) => return true,
        Tree::Not(inner) => return side_by_side(inner, expression, diagnostics),
        Tree::All(parts) => (parts, "can never hold together"),
        Tree::Any(parts) => (parts, "leave nothing out"),
    };
    if let Some((part, _)) = opposed(&parts.iter().collect::<Vec<_>>()) {
        let part = expression.operand_text(&parts[part]);
        diagnostics.error(&expression.tokens, format!("`{part}` and `!{part}` {wrong}; remove one of them"));
        return false;
    }
    parts.iter().all(|part| side_by_side(part, expression, diagnostics))
}

/// A part and its opposite, if both stand among the parts.
pub(super) fn opposed(parts: &[&Tree]) -> Option<(usize, usize)> {
    parts.iter().enumerate().find_map(|(denied, part)| match part {
        Tree::Not(inner) => Some((parts.iter().position(|part| *part == &**inner)?, denied)),
        _ => None,
    })
}

/// `AllowAny` on an action narrows nothing, and it cannot widen what its block asks.
fn opens(expression: &Expression, block: &Block, diagnostics: &mut Diagnostics) {
    let asks = match &block.permission {
        BlockPermission::Absent => false,
        BlockPermission::Inherited => true,
        BlockPermission::Expression(own) => own.sole_permission_name().as_deref() != Some("AllowAny"),
    };
    if asks && expression.sole_permission_name().as_deref() == Some("AllowAny") {
        let text = "`AllowAny` opens nothing, as the permission of the block must hold all the same; remove it";
        diagnostics.error(&expression.tokens, text);
    }
}

#[cfg(test)]
mod tests {
    use super::alone;
    use crate::diagnostics::Diagnostics;
    use crate::model::expression::Expression;
    use crate::syntax::permission::PermissionValue;
    use syn::parse::Parser;

    fn told(text: &str) -> String {
        let mut diagnostics = Diagnostics::new();
        let written = PermissionValue::parse.parse_str(text).unwrap().into_expression().unwrap();
        let expression = Expression::new(&written, &mut diagnostics);
        alone(&expression, &mut diagnostics);
        diagnostics.finish().map_or_else(|error| error.to_string(), |()| String::new())
    }

    #[test]
    fn sound_expressions_pass() {
        for text in [
            "AllowAny",
            "DenyAll",
            "A & B | !C",
            "A & (B | C) & !D",
            "(A & B) | (A & C)",
            "(A & !B) | (!A & B)",
            "HasRole(\"a\") | HasRole(\"b\")",
        ] {
            assert_eq!(told(text), "", "{text}");
        }
    }

    #[test]
    fn of_a_long_expression_the_neighbours_are_weighed() {
        let many: Vec<_> = (0..17).map(|leaf| format!("L{leaf}")).collect();
        let (all, any) = (many.join(" & "), many.join(" | "));
        assert_eq!(told(&any), "");
        assert_eq!(told(&format!("{all} & !A")), "");
        assert!(told(&format!("{all} & !L3")).contains("`L3` and `!L3` can never hold together"));
        assert!(told(&format!("{any} | !L3")).contains("`L3` and `!L3` leave nothing out"));
        assert!(told(&format!("({any}) & !({any})")).contains("can never hold together"));
        assert!(told(&format!("{any} | (A & !A)")).contains("`A` and `!A` can never hold together"));
    }

    #[test]
    fn expressions_that_say_nothing_are_refused() {
        for (text, words) in [
            ("A | (A & B)", "`B` makes no difference"),
            ("(A | B) & (A | !B)", "`B` makes no difference"),
            ("A & A", "`A` stands here twice"),
            ("(A | B) & (A | B)", "`(A | B)` stands here twice"),
            ("!!A", "write `A`"),
            ("AllowAny | A", "`AllowAny` stands alone"),
            ("!portcullis::DenyAll", "`DenyAll` stands alone"),
            ("DenyAll(a)", "`DenyAll` needs no object"),
            ("A | r#AllowAny", "`AllowAny` stands alone"),
            ("A | r#AllowAny(a)", "cannot stand under"),
            ("A & !r#A", "can never hold"),
            ("A(a) | A(r#a)", "stands here twice"),
            ("A::<B>(\"a\") | A<B>(\"a\",)", "stands here twice"),
            ("crate.a.b | crate::a.b", "stands here twice"),
            ("A(a) & AllowAny(a)", "`AllowAny(a)` opens nothing beside `A(a)`; remove it"),
            ("(a.b(r#a) | A) & AllowAny(a)", "`AllowAny(a)` opens nothing beside `a.b(r#a)`"),
        ] {
            let told = told(text);
            assert!(told.contains(words), "{text}: {told}");
        }
    }

    #[test]
    fn the_smallest_reason_is_told() {
        const NOBODY: &str = "write `DenyAll` if nobody may pass";
        const EVERYBODY: &str = "write `AllowAny` if everybody may pass";
        for (text, reason, instead) in [
            ("A & !A", "`A & !A` can never hold", NOBODY),
            ("A & B & !A", "`A & !A` can never hold, so `A & B & !A` never does", NOBODY),
            ("A & (B & (C & !A))", "`A & !A` can never hold, so `A & (B & (C & !A))` never does", NOBODY),
            ("(A | B) & !A & !B", "`(A | B) & !A & !B` can never hold", NOBODY),
            (
                "C & (A | B) & D & !A & !B",
                "`(A | B) & !A & !B` can never hold, so `C & (A | B) & D & !A & !B` never does",
                NOBODY,
            ),
            ("B & (A | C) & !B", "`B & !B` can never hold, so `B & (A | C) & !B` never does", NOBODY),
            ("A | !A", "`A | !A` always holds", EVERYBODY),
            ("A | B | !A", "`A | !A` always holds, so `A | B | !A` always does", EVERYBODY),
            ("B & !(A | !A)", "`A | !A` always holds, so `B & !(A | !A)` never does", NOBODY),
            ("B | !(A & C & !A)", "`A & !A` can never hold, so `B | !(A & C & !A)` always does", EVERYBODY),
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
                NOBODY,
            ),
        ] {
            assert_eq!(told(text), format!("{reason}; {instead}"), "{text}");
        }
    }

    #[test]
    fn of_many_parts_a_reason_has_nothing_to_spare() {
        // More parts than the smallest reason is looked for in, of leaves few enough to weigh.
        let pairs = (0..4).flat_map(|one| (one + 1..8).map(move |other| format!("(L{one} | L{other})")));
        let parts: Vec<_> = pairs.chain((0..4).map(|leaf| format!("!L{leaf}"))).collect();
        assert!(parts.len() > 16);
        let told = told(&parts.join(" & "));
        let reason = told.split('`').nth(1).unwrap();
        assert_eq!(reason, "(L2 | L3) & !L2 & !L3", "{told}");
    }

    #[test]
    fn opening_an_object_aloud_is_no_part_of_what_is_weighed() {
        for sound in [
            "AllowAny(a)",
            "AllowAny(a) & AllowAny(b)",
            "A & AllowAny(a)",
            "A & (AllowAny(a) & (B | C))",
            "(A | B) & portcullis::AllowAny(a)",
        ] {
            assert_eq!(told(sound), "", "{sound}");
        }
        for misplaced in ["A | AllowAny(a)", "!AllowAny(a)", "A & (B | AllowAny(a))", "A & !(B & AllowAny(a))"] {
            assert!(told(misplaced).contains("`AllowAny(a)` cannot stand under `|` or `!`"), "{misplaced}");
        }
        assert!(told("AllowAny(a) & AllowAny(a)").contains("stands here twice"));
        assert!(told("AllowAny(a) & AllowAny").contains("`AllowAny` stands alone"));
        assert!(told("A & A & AllowAny(a)").contains("`A` stands here twice"));
    }
}
