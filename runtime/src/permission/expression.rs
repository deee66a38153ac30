//! Permission expressions as static data, and their text.

use std::fmt;

/// The operator tree of an expression. A leaf is an index into [`Expression::leaves`].
#[derive(Debug, Clone, Copy)]
pub enum Expr {
    /// A permission.
    Leaf(u8),
    /// `!`
    Not(&'static Expr),
    /// `&`
    All(&'static [Expr]),
    /// `|`
    Any(&'static [Expr]),
}

/// A permission expression, with the source text of each distinct leaf.
#[derive(Debug, Clone, Copy)]
pub struct Expression {
    /// The operator tree.
    pub tree: Expr,
    /// The distinct leaves, at most 64.
    pub leaves: &'static [&'static str],
    /// Whether a leaf is a codename, so that evaluation needs the user's grants.
    pub has_codenames: bool,
}

impl Expression {
    /// Writes the expression. Leaves in the bit set `kept_leaves` are marked as evaluated once per message.
    fn write_tree(&self, tree: &Expr, kept_leaves: u64, is_nested: bool, f: &mut impl fmt::Write) -> fmt::Result {
        let (parts, operator) = match tree {
            Expr::Leaf(leaf) => {
                f.write_str(self.leaves.get(usize::from(*leaf)).unwrap_or(&"?"))?;
                let is_kept = kept_leaves.checked_shr(u32::from(*leaf)).is_some_and(|leaves| leaves & 1 == 1);
                return if is_kept { f.write_str(" [evaluated once]") } else { Ok(()) };
            }
            Expr::Not(inner) => {
                f.write_str("!")?;
                return self.write_tree(inner, kept_leaves, true, f);
            }
            Expr::All(parts) => (parts, " & "),
            Expr::Any(parts) => (parts, " | "),
        };
        if is_nested {
            f.write_str("(")?;
        }
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                f.write_str(operator)?;
            }
            self.write_tree(part, kept_leaves, true, f)?;
        }
        if is_nested { f.write_str(")") } else { Ok(()) }
    }

    /// Returns the text of the expression as an operand of `&`: in parentheses if its operator is `|`.
    pub(crate) fn operand_text(&self) -> String {
        self.operand_text_with(0)
    }

    /// As [`operand_text`](Expression::operand_text). Leaves in the bit set `kept_leaves` are marked.
    pub(crate) fn operand_text_with(&self, kept_leaves: u64) -> String {
        match self.tree {
            Expr::Any(_) => format!("({})", self.text_with(kept_leaves)),
            Expr::Leaf(_) | Expr::Not(_) | Expr::All(_) => self.text_with(kept_leaves),
        }
    }

    /// Returns the text of the expression. Leaves in the bit set `kept_leaves` are marked as evaluated once per message.
    pub(crate) fn text_with(&self, kept_leaves: u64) -> String {
        let mut text = String::new();
        // Writing to a `String` cannot fail.
        let _ = self.write_tree(&self.tree, kept_leaves, false, &mut text);
        text
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_tree(&self.tree, 0, false, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Expr = Expr::Leaf(0);
    const B: Expr = Expr::Leaf(1);
    const C: Expr = Expr::Leaf(2);
    const LEAVES: &[&str] = &["A", "B", "C"];

    #[test]
    fn kept_leaves_are_marked() {
        let tree = Expr::Any(&[Expr::Not(&A), B, C]);
        let expression = Expression { tree, leaves: LEAVES, has_codenames: false };
        assert_eq!(expression.operand_text_with(0b101), "(!A [evaluated once] | B | C [evaluated once])");
        assert_eq!(expression.text_with(0), expression.to_string());
    }

    #[test]
    fn display_matches_source_expression() {
        for (tree, displayed, operand) in [
            (A, "A", "A"),
            (Expr::Not(&C), "!C", "!C"),
            (Expr::All(&[A, B, C]), "A & B & C", "A & B & C"),
            (Expr::Any(&[A, B]), "A | B", "(A | B)"),
            (Expr::Any(&[Expr::All(&[A, B]), C]), "(A & B) | C", "((A & B) | C)"),
            (Expr::All(&[A, Expr::Any(&[B, C])]), "A & (B | C)", "A & (B | C)"),
            (Expr::Not(&Expr::Any(&[A, Expr::Not(&B)])), "!(A | !B)", "!(A | !B)"),
            (Expr::Leaf(3), "?", "?"),
        ] {
            let expression = Expression { tree, leaves: LEAVES, has_codenames: false };
            assert_eq!((expression.to_string().as_str(), expression.operand_text().as_str()), (displayed, operand));
        }
    }
}
