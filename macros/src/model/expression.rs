//! A permission expression with indexed leaves: each distinct leaf is stored once, in the order in which it is written.

use proc_macro2::{Span, TokenStream, TokenTree};

use super::unraw_name;
use crate::diagnostics::Diagnostics;
use crate::syntax::leaf::Leaf;
use crate::syntax::permission;

/// An expression with indexed leaves.
#[derive(Clone)]
pub(crate) struct Expression {
    pub(crate) tree: Tree,
    pub(crate) leaves: Vec<Leaf>,
    /// The tokens that errors about the whole expression underline.
    pub(crate) tokens: TokenStream,
}

/// The operators of an expression. A leaf is an index into [`Expression::leaves`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tree {
    Any(Vec<Tree>),
    All(Vec<Tree>),
    Not(Box<Tree>),
    Leaf(usize),
}

/// The maximum number of distinct leaves, because the evaluator keeps one bit per leaf in a `u64`.
const MAX_LEAVES: usize = 64;

impl Expression {
    pub(crate) fn new(syntax: &permission::PermissionSyntax, diagnostics: &mut Diagnostics) -> Self {
        let mut leaves: Vec<Leaf> = Vec::new();
        let tree = index_leaves(&syntax.tree, &mut leaves);
        if leaves.len() > MAX_LEAVES {
            let count = leaves.len();
            let message = format!(
                "this expression has {count} different permissions, more than the maximum of {MAX_LEAVES}; \
                 combine some of them in a permission type"
            );
            diagnostics.error(&syntax.tokens, message);
        }
        Self { tree, leaves, tokens: syntax.tokens.clone() }
    }

    /// Returns the span of the string literal if the expression is quoted.
    pub(crate) fn literal_span(&self) -> Option<Span> {
        match self.tokens.clone().into_iter().next()? {
            TokenTree::Literal(literal) => Some(literal.span()),
            _ => None,
        }
    }

    /// Returns the name of the permission if the expression is a single permission without a subject.
    pub(crate) fn sole_permission_name(&self) -> Option<String> {
        match self.tree {
            Tree::Leaf(leaf) => self.leaves.get(leaf).and_then(permission_name),
            _ => None,
        }
    }

    /// Returns whether a leaf has a subject.
    pub(crate) fn has_subjects(&self) -> bool {
        self.leaves.iter().any(|leaf| leaf.subject.is_some())
    }

    /// Returns for each leaf whether it occurs under a `!`.
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

    /// Formats the tree as source text.
    pub(crate) fn text(&self, tree: &Tree) -> String {
        self.format(tree, false)
    }

    /// Formats the tree as an operand of another operator, in parentheses where they are needed.
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

/// Returns the last path segment of a permission without a subject. Returns `None` for any other leaf.
pub(crate) fn permission_name(leaf: &Leaf) -> Option<String> {
    (!leaf.is_codename && leaf.subject.is_none()).then(|| last_segment_name(leaf))
}

/// Returns the last path segment of a permission with a subject. Returns `None` for any other leaf.
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
            let position = leaves.iter().position(|previous| previous.key == leaf.key);
            Tree::Leaf(position.unwrap_or_else(|| {
                leaves.push(leaf.clone());
                leaves.len() - 1
            }))
        }
    }
}
