//! The grants of one user, as a grant source loads them.

use std::collections::BTreeSet;

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

impl UserGrants {
    /// Returns whether both have the same grants and roles. A source may list roles in any order, and repeat them.
    pub(super) fn is_same(&self, other: &UserGrants) -> bool {
        self.grants == other.grants && (self.roles == other.roles || self.role_set() == other.role_set())
    }

    fn role_set(&self) -> BTreeSet<&String> {
        self.roles.iter().collect()
    }
}

impl From<GrantSet> for UserGrants {
    fn from(grants: GrantSet) -> UserGrants {
        UserGrants { grants, roles: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::fake_source::READ;
    use super::*;

    #[test]
    fn grants_with_the_same_roles_in_another_order_are_the_same() {
        let grants = |roles: &[&str]| UserGrants {
            grants: READ.into(),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        };
        assert!(grants(&["a", "b"]).is_same(&grants(&["b", "a", "b"])));
        assert!(!grants(&["a", "b"]).is_same(&grants(&["a"])));
        assert!(!grants(&[]).is_same(&UserGrants::default()));
    }
}
