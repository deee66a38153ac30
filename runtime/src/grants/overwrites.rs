//! What one object changes of its visitors' grants.

use std::collections::BTreeMap;

use super::grant_set::GrantSet;
use super::source::UserGrants;

/// What one object changes of its visitors' grants: for everyone, for a role, for one user.
///
/// They count in this order, and each denies before it allows, so that the later and the allowing word is the last:
/// everyone, then all of the user's roles together, then the user alone. An administrator is not concerned.
///
/// Said twice of one role or user, both count together.
///
/// ```
/// use portcullis::{GrantSet, Overwrites};
///
/// let hidden = GrantSet::from_names(["uploads.read"]);
/// // Hidden from everyone but moderators and the user 7.
/// let overwrites = Overwrites::new()
///     .deny_everyone(hidden.clone())
///     .allow_role("moderator", hidden.clone())
///     .allow_member("7", hidden);
/// # let _ = overwrites;
/// ```
#[derive(Debug, Clone, Default)]
pub struct Overwrites {
    everyone: Overwrite,
    roles: BTreeMap<String, Overwrite>,
    members: BTreeMap<String, Overwrite>,
}

#[derive(Debug, Clone, Default)]
struct Overwrite {
    deny: GrantSet,
    allow: GrantSet,
}

impl Overwrite {
    fn merge(&mut self, other: &Overwrite) {
        self.deny.allow(&other.deny);
        self.allow.allow(&other.allow);
    }

    fn apply(&self, grants: &mut GrantSet) {
        grants.deny(&self.deny);
        grants.allow(&self.allow);
    }
}

impl Overwrites {
    /// Changes nothing.
    pub fn new() -> Overwrites {
        Overwrites::default()
    }

    /// Denies it to everyone.
    #[must_use]
    pub fn deny_everyone(mut self, denied: impl Into<GrantSet>) -> Overwrites {
        self.everyone.deny.allow(&denied.into());
        self
    }

    /// Allows it to everyone.
    #[must_use]
    pub fn allow_everyone(mut self, allowed: impl Into<GrantSet>) -> Overwrites {
        self.everyone.allow.allow(&allowed.into());
        self
    }

    /// Denies it to those with this role, one of [`UserGrants::roles`].
    #[must_use]
    pub fn deny_role(mut self, role: impl Into<String>, denied: impl Into<GrantSet>) -> Overwrites {
        self.roles.entry(role.into()).or_default().deny.allow(&denied.into());
        self
    }

    /// Allows it to those with this role, one of [`UserGrants::roles`].
    #[must_use]
    pub fn allow_role(mut self, role: impl Into<String>, allowed: impl Into<GrantSet>) -> Overwrites {
        self.roles.entry(role.into()).or_default().allow.allow(&allowed.into());
        self
    }

    /// Denies it to one user, by [`User::id`](crate::User::id).
    #[must_use]
    pub fn deny_member(mut self, user_id: impl Into<String>, denied: impl Into<GrantSet>) -> Overwrites {
        self.members.entry(user_id.into()).or_default().deny.allow(&denied.into());
        self
    }

    /// Allows it to one user, by [`User::id`](crate::User::id).
    #[must_use]
    pub fn allow_member(mut self, user_id: impl Into<String>, allowed: impl Into<GrantSet>) -> Overwrites {
        self.members.entry(user_id.into()).or_default().allow.allow(&allowed.into());
        self
    }

    /// What a user may do with this object, who may do `base` elsewhere.
    pub fn apply(&self, base: &UserGrants, user_id: &str) -> GrantSet {
        let mut grants = base.grants.clone();
        if grants.is_all() {
            return grants;
        }
        self.everyone.apply(&mut grants);
        let mut roles = Overwrite::default();
        base.roles.iter().filter_map(|role| self.roles.get(role)).for_each(|overwrite| roles.merge(overwrite));
        roles.apply(&mut grants);
        if let Some(member) = self.members.get(user_id) {
            member.apply(&mut grants);
        }
        grants
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::fake_source::{READ, WRITE, allow_everyone, deny_everyone};
    use super::*;

    #[test]
    fn administrator_is_unaffected() {
        let base = UserGrants::from(GrantSet::all());
        let overwrites = deny_everyone(READ).deny_member("7", GrantSet::all());
        assert!(overwrites.apply(&base, "7").is_all());
    }

    #[test]
    fn later_step_wins_and_allow_beats_deny() {
        let mut base = UserGrants::from(GrantSet::from(WRITE));
        base.roles = vec!["guest".to_owned(), "editor".to_owned()];
        let overwrites = allow_everyone(READ).deny_everyone(WRITE);
        assert_eq!(overwrites.apply(&base, "7"), READ.into());
        let overwrites = overwrites.allow_role("editor", WRITE).deny_role("guest", [READ, WRITE]);
        assert_eq!(overwrites.apply(&base, "7"), WRITE.into());
        let overwrites = overwrites.deny_role("owner", GrantSet::all()).deny_member("7", WRITE).allow_member("7", READ);
        assert_eq!(overwrites.apply(&base, "7"), READ.into());
        assert_eq!(overwrites.apply(&base, "8"), WRITE.into());
    }
}
