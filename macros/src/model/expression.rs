//! A permission expression with its leaves counted: each distinct leaf once, in the order written.

use proc_macro2::TokenStream;

use super::plain;
use crate::diagnostics::Diagnostics;
use crate::syntax::leaf::Leaf;
use crate::syntax::permission;

/// An expression ready to be weighed and printed.
#[derive(Clone)]
pub(crate) struct Expression {
    pub(crate) tree: Tree,
    pub(crate) leaves: Vec<Leaf>,
    /// What to underline when the whole makes no sense.
    pub(crate) at: TokenStream,
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
const MOST_LEAVES: usize = 64;

impl Expression {
    pub(crate) fn new(written: &permission::Expression, diagnostics: &mut Diagnostics) -> Self {
        let mut leaves: Vec<Leaf> = Vec::new();
        let tree = number(&written.tree, &mut leaves);
        if leaves.len() > MOST_LEAVES {
            let count = leaves.len();
            let message = format!(
                "an expression holds {MOST_LEAVES} different permissions at most, this one has {count}; put some of them into a permission of their own"
            );
            diagnostics.error(&written.at, message);
        }
        Self { tree, leaves, at: written.at.clone() }
    }

    /// What the only leaf is called, where there is only one and nothing else.
    pub(crate) fn alone(&self) -> Option<String> {
        match self.tree {
            Tree::Leaf(leaf) => self.leaves.get(leaf).and_then(word),
            _ => None,
        }
    }

    /// Is anything asked about a parameter?
    pub(crate) fn names_parameters(&self) -> bool {
        self.leaves.iter().any(|leaf| leaf.about.is_some())
    }

    /// Which leaves stand under a `!`?
    pub(crate) fn denied(&self) -> Vec<bool> {
        fn mark(tree: &Tree, inside: bool, denied: &mut [bool]) {
            match tree {
                Tree::Leaf(leaf) => denied[*leaf] |= inside,
                Tree::Not(inner) => mark(inner, true, denied),
                Tree::Any(parts) | Tree::All(parts) => parts.iter().for_each(|part| mark(part, inside, denied)),
            }
        }
        let mut denied = vec![false; self.leaves.len()];
        mark(&self.tree, false, &mut denied);
        denied
    }

    /// The tree as it would be written.
    pub(crate) fn text(&self, tree: &Tree) -> String {
        self.written(tree, false)
    }

    /// The same inside of something else.
    pub(crate) fn text_inside(&self, tree: &Tree) -> String {
        self.written(tree, true)
    }

    fn written(&self, tree: &Tree, inside: bool) -> String {
        let joined = |parts: &[Tree], operator: &str| {
            let parts: Vec<_> = parts.iter().map(|part| self.written(part, true)).collect();
            let joined = parts.join(operator);
            if inside { format!("({joined})") } else { joined }
        };
        match tree {
            Tree::Leaf(leaf) => self.leaves[*leaf].text.clone(),
            Tree::Not(inner) => format!("!{}", self.written(inner, true)),
            Tree::Any(parts) => joined(parts, " | "),
            Tree::All(parts) => joined(parts, " & "),
        }
    }
}

/// What a permission that is about nothing is called, wherever it is imported from: the last word of its path.
pub(crate) fn word(leaf: &Leaf) -> Option<String> {
    (!leaf.codename && leaf.about.is_none()).then(|| last_word(leaf))
}

/// The same of a permission that is about an object.
pub(crate) fn word_about_an_object(leaf: &Leaf) -> Option<String> {
    (!leaf.codename && leaf.about.is_some()).then(|| last_word(leaf))
}

pub(crate) fn last_word(leaf: &Leaf) -> String {
    leaf.path.segments.last().map(|segment| plain(&segment.ident)).unwrap_or_default()
}

fn number(tree: &permission::Tree, leaves: &mut Vec<Leaf>) -> Tree {
    let mut each = |parts: &[permission::Tree]| parts.iter().map(|part| number(part, leaves)).collect();
    match tree {
        permission::Tree::Any(parts) => Tree::Any(each(parts)),
        permission::Tree::All(parts) => Tree::All(each(parts)),
        permission::Tree::Not(part) => Tree::Not(Box::new(number(part, leaves))),
        permission::Tree::Leaf(leaf) => {
            let known = leaves.iter().position(|earlier| earlier.key == leaf.key);
            Tree::Leaf(known.unwrap_or_else(|| {
                leaves.push(leaf.clone());
                leaves.len() - 1
            }))
        }
    }
}
