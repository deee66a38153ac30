//! What is asked and run, in order: the runtime's doings are written down so, and the oracle's expectations too.

use std::collections::BTreeMap;

use crate::case::Leaf;

/// Where an expression stands: on the handler at the end of this way, on its mount, or on one of its actions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    Handler(Way),
    Mount(Way),
    Action(Way, usize),
    /// `connect = ".."`
    Strict,
}

/// From the consumer inwards, which of its routes each level is mounted under.
pub(crate) type Way = Vec<usize>;

/// What somebody sees of a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) logged_in: bool,
    pub(crate) action: String,
    pub(crate) route: String,
    pub(crate) captures: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// A leaf was asked whether the connection may be made.
    AskedAtDoor(Place, Leaf),
    /// A leaf was asked about a message.
    Asked(Place, Leaf, Seen),
    /// An action ran.
    Ran(Way, usize, Seen),
}
