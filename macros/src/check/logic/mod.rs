//! What permission expressions mean: parts without effect, and actions that nobody may call.

mod combined;
mod expression;
mod truth_table;

pub(super) use expression::{alone, check};
