//! What may be written: each attribute and each little language, one file each; mistakes within one attribute are found here.
//!
//! A reader that can go on after a mistake returns what it could read beside the mistakes ([`Partial`]).

pub(crate) mod action;
pub(crate) mod attribute;
pub(crate) mod block;
pub(crate) mod codenames;
pub(crate) mod event;
mod field_name;
pub(crate) mod group;
pub(crate) mod json_path;
pub(crate) mod key_value;
pub(crate) mod leaf;
mod leaf_argument;
pub(crate) mod pattern;
pub(crate) mod permission;
mod permission_errors;
pub(crate) mod public_name;
pub(crate) mod route;
pub(crate) mod token_string;

/// What could be read, and all that was wrong with the rest.
pub(crate) type Partial<T> = (T, Option<syn::Error>);
