//! What comes out. Nothing here can fail: everything was read and checked before.
//!
//! Generated code decides nothing: it names, calls and stops. It consists of one `const _` with one alias, one impl a
//! trait, one more an event, and one row an action; `macros/tests/expand` shows it for typical blocks.

mod action;
mod arguments;
mod authenticate;
mod block;
mod codenames;
mod consumer;
mod evaluation;
mod event;
mod fallback;
mod group;
mod leaf;
mod object_parameters;
mod paths;
mod route;

pub(crate) use block::block;
pub(crate) use codenames::codenames;
pub(crate) use fallback::fallback;
pub(crate) use group::{group, group_fallback};
