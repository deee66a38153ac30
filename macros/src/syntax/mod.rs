//! The syntax of each attribute and of each language inside of attributes, one file each. Errors within one attribute are
//! found here; errors that involve more than one attribute are found in `check`.
//!
//! A parser that can continue after an error returns a [`Partial`] result.

pub(crate) mod action;
pub(crate) mod attribute;
pub(crate) mod block;
pub(crate) mod codenames;
pub(crate) mod event;
pub(crate) mod event_type;
mod field_name;
pub(crate) mod group;
pub(crate) mod history;
pub(crate) mod json_path;
pub(crate) mod key_value;
pub(crate) mod leaf;
pub(crate) mod leaf_argument;
pub(crate) mod method_bodies;
pub(crate) mod pattern;
pub(crate) mod permission;
mod permission_errors;
pub(crate) mod public_name;
pub(crate) mod rate;
pub(crate) mod rename_rule;
pub(crate) mod route;
mod time_limit;
pub(crate) mod token_string;
pub(crate) mod validate;

/// The parts that were parsed, and the errors of the other parts combined into one.
pub(crate) type Partial<T> = (T, Option<syn::Error>);
