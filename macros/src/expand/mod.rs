//! Code generation. Nothing here can fail: `syntax`, `model` and `check` have reported every error before.
//!
//! Generated code makes no decisions: it names items and calls the runtime. It consists of one `const _` with one alias, one
//! impl per trait and per event, and one descriptor and one function per action; `macros/tests/expand` shows it for typical
//! blocks.

mod action;
mod arguments;
mod authenticate;
mod block;
mod codec;
mod codenames;
mod consumer;
mod evaluation;
mod event;
mod event_type;
mod fallback;
mod group;
mod history;
mod leaf;
mod object_parameters;
mod paths;
mod rate;
mod route;
mod tokens;
mod user_type;

pub(crate) use block::block;
pub(crate) use codenames::codenames;
pub(crate) use event_type::{event_type, event_type_fallback};
pub(crate) use fallback::{fallback, fallback_impls};
pub(crate) use group::{group, group_fallback};
pub(crate) use leaf::quoted_items;
