//! Whether a permission expression says anything: one that never or always holds, or names a leaf that cannot matter, is a
//! mistake of whoever wrote it.

use std::ops::Range;

use crate::diagnostics::Diagnostics;
use crate::model::block::{Block, Permission};
use crate::model::expression::{Expression, Tree, word};

/// Up to this many different leaves an expression is weighed by its whole truth table. Beyond it, only what stands side
/// by side is looked at: nobody repeats leaves by mistake in an expression that nobody can read.
const WEIGHED: usize = 16;

pub(super) fn check(block: &Block, diagnostics: &mut Diagnostics) {
    // An expression that is wrong by itself is not held against others as well.
    let own = block.permission.asked().filter(|expression| alone(expression, diagnostics));
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
            together(own, expression, block, diagnostics);
        }
    }
}

/// Weighs one expression by itself; says whether it is sound.
fn alone(expression: &Expression, diagnostics: &mut Diagnostics) -> bool {
    if expression.alone().is_some() {
        return true;
    }
    let mut sound = true;
    for leaf in &expression.leaves {
        let name = word(leaf);
        if name == "AllowAny" || name == "DenyAll" {
            let text = format!("`{name}` stands alone; remove it here, or write `{name}` and nothing else");
            diagnostics.add(syn::Error::new(leaf.at(), text));
            sound = false;
        }
    }
    sound && level(&expression.tree, expression, diagnostics) && outcome(expression, diagnostics)
}

/// What is wrong among the parts of one operator, and within them.
fn level(tree: &Tree, expression: &Expression, diagnostics: &mut Diagnostics) -> bool {
    match tree {
        Tree::Leaf(_) => true,
        Tree::Not(inner) => {
            if let Tree::Not(twice) = &**inner {
                let text = format!("`!!` changes nothing; write `{}`", text(twice, expression, true));
                diagnostics.error(&expression.at, text);
                return false;
            }
            level(inner, expression, diagnostics)
        }
        Tree::Any(parts) | Tree::All(parts) => {
            for (position, part) in parts.iter().enumerate() {
                if parts[..position].contains(part) {
                    let text = format!("`{}` stands here twice; remove one of them", text(part, expression, true));
                    diagnostics.error(&expression.at, text);
                    return false;
                }
            }
            parts.iter().all(|part| level(part, expression, diagnostics))
        }
    }
}

/// What the truth table says.
fn outcome(expression: &Expression, diagnostics: &mut Diagnostics) -> bool {
    let Some(table) = Table::of(&expression.tree, expression.leaves.len()) else {
        return side_by_side(&expression.tree, expression, diagnostics);
    };
    let whole = text(&expression.tree, expression, false);
    if table.never() {
        diagnostics.error(&expression.at, format!("`{whole}` can never hold; write `DenyAll` if nobody may pass"));
        return false;
    }
    if table.always() {
        diagnostics.error(&expression.at, format!("`{whole}` always holds; write `AllowAny` if everybody may pass"));
        return false;
    }
    for (position, leaf) in expression.leaves.iter().enumerate() {
        if !table.depends_on(position) {
            let text = format!("`{}` makes no difference in `{whole}`; remove it", leaf.text);
            diagnostics.add(syn::Error::new(leaf.at(), text));
            return false;
        }
    }
    true
}

/// What can be said of an expression that is too long to weigh: that something stands beside its own opposite.
fn side_by_side(tree: &Tree, expression: &Expression, diagnostics: &mut Diagnostics) -> bool {
    let (parts, wrong) = match tree {
        Tree::Leaf(_) => return true,
        Tree::Not(inner) => return side_by_side(inner, expression, diagnostics),
        Tree::All(parts) => (parts, "can never hold together"),
        Tree::Any(parts) => (parts, "leave nothing out"),
    };
    if let Some(part) = opposed(&parts.iter().collect::<Vec<_>>()) {
        let part = text(part, expression, true);
        diagnostics.error(&expression.at, format!("`{part}` and `!{part}` {wrong}; remove one of them"));
        return false;
    }
    parts.iter().all(|part| side_by_side(part, expression, diagnostics))
}

/// The part whose opposite stands among the parts as well.
fn opposed<'a>(parts: &[&'a Tree]) -> Option<&'a Tree> {
    let mut denied = parts.iter().filter_map(|part| match part {
        Tree::Not(inner) => Some(&**inner),
        _ => None,
    });
    denied.find(|inner| parts.contains(inner))
}

/// What must all hold for the whole to hold.
fn conjuncts(tree: &Tree) -> Vec<&Tree> {
    match tree {
        Tree::All(parts) => parts.iter().flat_map(conjuncts).collect(),
        other => vec![other],
    }
}

/// `AllowAny` on an action narrows nothing, and it cannot widen what its block asks.
fn opens(expression: &Expression, block: &Block, diagnostics: &mut Diagnostics) {
    let asks = match &block.permission {
        Permission::Silent => false,
        Permission::Inherited => true,
        Permission::Asked(own) => own.alone().as_deref() != Some("AllowAny"),
    };
    if asks && expression.alone().as_deref() == Some("AllowAny") {
        let text = "`AllowAny` opens nothing, as the permission of the block must hold all the same; remove it";
        diagnostics.error(&expression.at, text);
    }
}

/// Can the block's expression and the action's hold at once?
fn together(own: &Expression, action: &Expression, block: &Block, diagnostics: &mut Diagnostics) {
    let mut leaves: Vec<&str> = own.leaves.iter().map(|leaf| leaf.text.as_str()).collect();
    let mut places = Vec::new();
    for leaf in &action.leaves {
        let known = leaves.iter().position(|text| *text == leaf.text);
        places.push(known.unwrap_or(leaves.len()));
        if known.is_none() {
            leaves.push(&leaf.text);
        }
    }
    let both = Tree::All(vec![own.tree.clone(), moved(&action.tree, &places)]);
    let never =
        Table::of(&both, leaves.len()).map_or_else(|| opposed(&conjuncts(&both)).is_some(), |table| table.never());
    if never {
        let (one, other) = (text(&action.tree, action, false), text(&own.tree, own, false));
        let kind = block.kind.name();
        let text = format!("`{one}` can never hold where `{other}` of the `#[{kind}]` block does; change one of them");
        diagnostics.error(&action.at, text);
    }
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

/// The outcome for every answer of the leaves; bit `n` of a row's number is what leaf `n` says.
struct Table(Vec<bool>);

impl Table {
    fn of(tree: &Tree, leaves: usize) -> Option<Self> {
        let rows: Range<u32> = 0..1 << leaves.min(WEIGHED);
        (leaves <= WEIGHED).then(|| Self(rows.map(|row| holds(tree, row)).collect()))
    }

    fn never(&self) -> bool {
        !self.0.contains(&true)
    }

    fn always(&self) -> bool {
        !self.0.contains(&false)
    }

    fn depends_on(&self, leaf: usize) -> bool {
        (0..self.0.len()).any(|row| self.0[row] != self.0[row ^ (1 << leaf)])
    }
}

fn holds(tree: &Tree, row: u32) -> bool {
    match tree {
        Tree::Leaf(leaf) => row & (1 << leaf) != 0,
        Tree::Not(inner) => !holds(inner, row),
        Tree::Any(parts) => parts.iter().any(|part| holds(part, row)),
        Tree::All(parts) => parts.iter().all(|part| holds(part, row)),
    }
}

/// The expression as it would be written.
fn text(tree: &Tree, expression: &Expression, inside: bool) -> String {
    let joined = |parts: &[Tree], operator: &str| {
        let parts: Vec<_> = parts.iter().map(|part| text(part, expression, true)).collect();
        let joined = parts.join(operator);
        if inside { format!("({joined})") } else { joined }
    };
    match tree {
        Tree::Leaf(leaf) => expression.leaves[*leaf].text.clone(),
        Tree::Not(inner) => format!("!{}", text(inner, expression, true)),
        Tree::Any(parts) => joined(parts, " | "),
        Tree::All(parts) => joined(parts, " & "),
    }
}

#[cfg(test)]
mod tests {
    use super::alone;
    use crate::diagnostics::Diagnostics;
    use crate::model::expression::Expression;
    use crate::syntax::permission::Written;
    use syn::parse::Parser;

    fn told(text: &str) -> String {
        let mut diagnostics = Diagnostics::new();
        let written = Written::parse.parse_str(text).unwrap().asked().unwrap();
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
            ("A & !A", "can never hold"),
            ("(A | B) & !A & !B", "can never hold"),
            ("A | !A", "always holds"),
            ("A | (A & B)", "`B` makes no difference"),
            ("(A | B) & (A | !B)", "`B` makes no difference"),
            ("A & A", "`A` stands here twice"),
            ("(A | B) & (A | B)", "`(A | B)` stands here twice"),
            ("!!A", "write `A`"),
            ("AllowAny | A", "`AllowAny` stands alone"),
            ("!portcullis::DenyAll", "`DenyAll` stands alone"),
        ] {
            let told = told(text);
            assert!(told.contains(words), "{text}: {told}");
        }
    }
}
