//! Code for the leaves of an expression: their types, and how each is evaluated for an action or for an event.

mod alias;
mod constant;
mod evaluate;
mod evaluate_event;
mod evaluate_member;
mod named_leaf;

pub(super) use alias::leaf_aliases;
pub(crate) use alias::quoted_items;
pub(super) use constant::constant_checks;
pub(super) use named_leaf::{NamedLeaf, named_leaves};
