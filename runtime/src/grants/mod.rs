//! Grants: codenames, sets of codenames, per-object overwrites, and the cached source that they are loaded from.

mod batch;
mod cache;
mod cached_overwrites;
mod codename;
mod connection;
mod erased_source;
mod evaluated_objects;
mod grant_set;
mod loader;
mod object_key;
mod overwrites;
mod seqlock;
mod snapshot;
mod source;
#[cfg(test)]
mod tests;
mod user_grants;
mod user_load;

pub use cache::GrantCache;
pub(crate) use cache::MAX_REUSE_AGE;
pub use codename::{Codename, CodenameRow};
pub(crate) use codename::{CodenameClash, codenames, register_codenames};
pub(crate) use connection::ConnectionGrants;
pub use grant_set::GrantSet;
pub use object_key::{ObjectId, ObjectKey};
pub use overwrites::Overwrites;
pub use source::GrantSource;
pub use user_grants::UserGrants;
