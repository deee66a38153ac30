//! Code for the leaves of an expression: their types, and how each is evaluated for an action or for an event.

mod evaluate;
mod evaluate_event;
mod named_leaf;

pub(super) use named_leaf::{NamedLeaf, leaf_aliases, named_leaves};
