//! The grants of one user, as a grant source loads them.

use super::grant_set::GrantSet;

/// A user's grants apart from any object, and the user's roles. [`GrantSource::load`](crate::GrantSource::load) returns it.
///
/// The default grants nothing and has no roles. A [`GrantSet`] converts into grants without roles.
///
/// ```
/// use portcullis::{GrantSet, UserGrants};
///
/// let administrator = UserGrants::from(GrantSet::all());
/// assert!(administrator.grants.is_all() && administrator.roles.is_empty());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "written out by applications")]
pub struct UserGrants {
    /// The union of what the user's roles grant.
    pub grants: GrantSet,
    /// The names of the user's roles, for [`Overwrites::allow_role`](crate::Overwrites::allow_role) and
    /// [`Overwrites::deny_role`](crate::Overwrites::deny_role).
    ///
    /// If the list is empty, [`Connections::refresh_role`](crate::Connections::refresh_role) refreshes the user for every
    /// role.
    pub roles: Vec<String>,
}

impl From<GrantSet> for UserGrants {
    fn from(grants: GrantSet) -> UserGrants {
        UserGrants { grants, roles: Vec::new() }
    }
}
