//! What comes out. Nothing here can fail: everything was read and checked before.
//!
//! Generated code decides nothing: it names, calls and stops. It consists of one `const _` with one alias, one impl a
//! trait, and one row an action; `macros/tests/expand` shows it for typical blocks.

mod action;
mod arguments;
mod block;
mod codenames;
mod consumer;
mod fallback;
mod leaf;
mod objects;
mod paths;
mod permission;
mod route;

pub(crate) use block::block;
pub(crate) use codenames::codenames;
pub(crate) use fallback::fallback;
