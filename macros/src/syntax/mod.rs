//! What may be written: each attribute and each little language, one file each; mistakes within one attribute are found here.
//!
//! A reader that can go on after a mistake returns what it could read beside the mistakes ([`Read`]).

pub(crate) mod action;
mod argument;
pub(crate) mod attribute;
pub(crate) mod block;
pub(crate) mod codenames;
pub(crate) mod event;
mod field;
pub(crate) mod group;
pub(crate) mod keyed;
pub(crate) mod leaf;
pub(crate) mod object;
pub(crate) mod pattern;
pub(crate) mod permission;
pub(crate) mod public_name;
pub(crate) mod quoted;
pub(crate) mod route;
mod unexpected;

/// What could be read, and all that was wrong with the rest.
pub(crate) type Read<T> = (T, Option<syn::Error>);
