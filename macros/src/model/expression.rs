//! A permission expression with its leaves counted: each distinct leaf once, in the order written.

use proc_macro2::TokenStream;

use super::unraw_name;
use crate::diagnostics::Diagnostics;
use crate::syntax::leaf::Leaf;
use crate::syntax::permission;

/// An expression ready to be weighed and printed.
#[derive(Clone)]
pub(crate) struct Expression {
    pub(crate) tree: Tree,
    pub(crate) leaves: Vec<Leaf>,
    /// What to underline when the whole makes no sense.
    pub(crate) tokens: TokenStream,
}

/// The operators over positions in [`Expression::leaves`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tree {
    Any(Vec<Tree>),
    All(Vec<Tree>),
    Not(Box<Tree>),
    Leaf(usize),
}

/// The evaluator keeps one bit a leaf.
const MAX_LEAVES: usize = 64;

impl Expression {
    pub(crate) fn new(written: &permission::PermissionSyntax, diagnostics: &mut Diagnostics) -> Self {
        let mut leaves: Vec<Leaf> = Vec::new();
        let tree = index_leaves(&written.tree, &mut leaves);
        if leaves.len() > MAX_LEAVES {
            let count = leaves.len();
            let message = format!(
                "an expression holds {MAX_LEAVES} different permissions at most, this one has {count}; put some of them into a permission of their own"
            );
            diagnostics.error(&written.tokens, message);
        }
        Self { tree, leaves, tokens: written.tokens.clone() }
    }

    /// What the only leaf is called, where there is only one and nothing else.
    pub(crate) fn sole_permission_name(&self) -> Option<String> {
        match self.tree {
            Tree::Leaf(leaf) => self.leaves.get(leaf).and_then(permission_name),
            _ => None,
        }
    }

    /// Is anything asked about a parameter?
    pub(crate) fn has_subjects(&self) -> bool {
        self.leaves.iter().any(|leaf| leaf.subject.is_some())
    }

    /// Which leaves stand under a `!`?
    pub(crate) fn negated_leaves(&self) -> Vec<bool> {
        fn mark(tree: &Tree, is_nested: bool, negated: &mut [bool]) {
            match tree {
                Tree::Leaf(leaf) => negated[*leaf] |= is_nested,
                Tree::Not(inner) => mark(inner, true, negated),
                Tree::Any(operands) | Tree::All(operands) => {
                    for operand in operands {
                        mark(operand, is_nested, negated);
                    }
                }
            }
        }
        let mut negated = vec![false; self.leaves.len()];
        mark(&self.tree, false, &mut negated);
        negated
    }

    /// The tree as it would be written.
    pub(crate) fn text(&self, tree: &Tree) -> String {
        self.format(tree, false)
    }

    /// The same inside of something else.
    pub(crate) fn operand_text(&self, tree: &Tree) -> String {
        self.format(tree, true)
    }

    fn format(&self, tree: &Tree, is_nested: bool) -> String {
        let joined = |operands: &[Tree], operator: &str| {
            let operands: Vec<_> = operands.iter().map(|operand| self.format(operand, true)).collect();
            let joined = operands.join(operator);
            if is_nested { format!("({joined})") } else { joined }
        };
        match tree {
            Tree::Leaf(leaf) => self.leaves[*leaf].text.clone(),
            Tree::Not(inner) => format!("!{}", self.format(inner, true)),
            Tree::Any(operands) => joined(operands, " | "),
            Tree::All(operands) => joined(operands, " & "),
        }
    }
}

/// What a permission that is about nothing is called, wherever it is imported from: the last word of its path.
pub(crate) fn permission_name(leaf: &Leaf) -> Option<String> {
    (!leaf.is_codename && leaf.subject.is_none()).then(|| last_segment_name(leaf))
}

/// The same of a permission that is about an object.
pub(crate) fn object_permission_name(leaf: &Leaf) -> Option<String> {
    (!leaf.is_codename && leaf.subject.is_some()).then(|| last_segment_name(leaf))
}

pub(crate) fn last_segment_name(leaf: &Leaf) -> String {
    leaf.path.segments.last().map(|segment| unraw_name(&segment.ident)).unwrap_or_default()
}

fn index_leaves(tree: &permission::SyntaxTree, leaves: &mut Vec<Leaf>) -> Tree {
    let mut each =
        |operands: &[permission::SyntaxTree]| operands.iter().map(|operand| index_leaves(operand, leaves)).collect();
    match tree {
        permission::SyntaxTree::Any(operands) => Tree::Any(each(operands)),
        permission::SyntaxTree::All(operands) => Tree::All(each(operands)),
        permission::SyntaxTree::Not(operand) => Tree::Not(Box::new(index_leaves(operand, leaves))),
        permission::SyntaxTree::Leaf(leaf) => {
            let known = leaves.iter().position(|earlier| earlier.key == leaf.key);
            Tree::Leaf(known.unwrap_or_else(|| {
                leaves.push(leaf.clone());
                leaves.len() - 1
            }))
        }
    }
}
