//! The trace of evaluations and actions, recorded by the runtime and predicted by the oracle.

use std::collections::BTreeMap;

use crate::case::Leaf;

/// The place of an expression: a handler, its mount, or one of its actions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    Handler(Way),
    Mount(Way),
    Action(Way, usize),
    /// `connect = ".."`
    Strict,
}

/// The index of the route per level, from the consumer inwards.
pub(crate) type Way = Vec<usize>;

/// The names and texts of captures.
pub(crate) type Captures = BTreeMap<String, String>;

/// What a leaf or action sees of a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) logged_in: bool,
    pub(crate) action: String,
    pub(crate) route: String,
    pub(crate) captures: Captures,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// A leaf was evaluated for the handshake.
    EvaluatedAtConnect(Place, Leaf),
    /// A leaf was evaluated for a message.
    Evaluated(Place, Leaf, Seen),
    /// An action ran.
    Ran(Way, usize, Seen),
}
