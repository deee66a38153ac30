//! Checks of what permission expressions mean: parts without effect, and expressions that always or never hold.

mod combined;
mod expression;
mod truth_table;

pub(super) use expression::{check, check_expression};
