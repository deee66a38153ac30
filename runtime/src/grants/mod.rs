//! What a role table grants: codenames, sets of them, what one object overwrites, and the source that they come from.

mod base;
mod bits;
mod cache;
mod codename;
mod entries;
mod flight;
mod hash;
mod held;
mod key;
#[cfg(test)]
mod model;
mod overwrites;
mod set;
mod source;
#[cfg(test)]
mod staged;

pub use cache::GrantCache;
pub(crate) use codename::{Clash, codenames, ready};
pub use codename::{Codename, CodenameRow};
pub(crate) use held::Held;
pub use key::{ObjectId, ObjectKey};
pub use overwrites::Overwrites;
pub use set::GrantSet;
pub use source::{Grants, UserGrants};
