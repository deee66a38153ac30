//! Code for the leaves of an expression: their types, and how each is evaluated for an action or for an event.

mod evaluate;
mod evaluate_event;

pub(super) use evaluate::{NamedLeaf, leaf_aliases, named_leaves};
