//! Per-object changes of users' grants.

use std::collections::BTreeMap;

use super::grant_set::GrantSet;
use super::user_grants::UserGrants;

/// What one object changes of the grants that users have elsewhere: for everyone, per role, and per user.
///
/// Three steps apply in this order: everyone, all roles of the user together, the user alone. Each step first removes the
/// codenames that it denies, then adds those that it allows. A later step therefore wins over an earlier one, and within a
/// step allowing wins over denying. An administrator ([`GrantSet::all`]) is not affected. An object that does not exist
/// denies everything: [`Overwrites::missing`].
///
/// Calling a method several times for the same role or user adds to what is denied or allowed there.
///
/// ```standalone_crate
/// use portcullis::{GrantSet, Overwrites, UserGrants};
///
/// portcullis::permissions! {
///     uploads { read = "Sees uploads" }
/// }
///
/// // Hidden from everyone except moderators and the user 7.
/// let overwrites = Overwrites::new()
///     .deny_everyone(uploads::read)
///     .allow_role("moderator", uploads::read)
///     .allow_member("7", uploads::read);
///
/// let guest = UserGrants { grants: uploads::read.into(), roles: vec!["guest".to_owned()] };
/// assert_eq!(overwrites.apply(&guest, "8"), GrantSet::new());
/// assert_eq!(overwrites.apply(&guest, "7"), uploads::read.into());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overwrites {
    /// Whether the object does not exist.
    is_missing: bool,
    everyone: Overwrite,
    roles: BTreeMap<String, Overwrite>,
    members: BTreeMap<String, Overwrite>,
}

/// One step: what it denies, then what it allows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
    /// Creates an empty set of overwrites, which changes no grants.
    pub fn new() -> Overwrites {
        Overwrites::default()
    }

    /// Creates the overwrites of an object that does not exist, for example because it was deleted: they deny every codename
    /// to everyone, to administrators too, whatever else they allow. Empty overwrites would leave the base grants in force.
    ///
    /// Return it from [`GrantSource::overwrites`](crate::GrantSource::overwrites) for an object that is not found.
    #[must_use]
    pub fn missing() -> Overwrites {
        Overwrites { is_missing: true, ..Overwrites::default() }
    }

    /// Denies these codenames to everyone.
    #[must_use]
    pub fn deny_everyone(mut self, denied: impl Into<GrantSet>) -> Overwrites {
        self.everyone.deny.allow(&denied.into());
        self
    }

    /// Allows these codenames to everyone.
    #[must_use]
    pub fn allow_everyone(mut self, allowed: impl Into<GrantSet>) -> Overwrites {
        self.everyone.allow.allow(&allowed.into());
        self
    }

    /// Denies these codenames to users with this role among their [`UserGrants::roles`].
    #[must_use]
    pub fn deny_role(mut self, role: impl Into<String>, denied: impl Into<GrantSet>) -> Overwrites {
        self.roles.entry(role.into()).or_default().deny.allow(&denied.into());
        self
    }

    /// Allows these codenames to users with this role among their [`UserGrants::roles`].
    #[must_use]
    pub fn allow_role(mut self, role: impl Into<String>, allowed: impl Into<GrantSet>) -> Overwrites {
        self.roles.entry(role.into()).or_default().allow.allow(&allowed.into());
        self
    }

    /// Denies these codenames to the user with this [`User::id`](crate::User::id).
    #[must_use]
    pub fn deny_member(mut self, user_id: impl Into<String>, denied: impl Into<GrantSet>) -> Overwrites {
        self.members.entry(user_id.into()).or_default().deny.allow(&denied.into());
        self
    }

    /// Allows these codenames to the user with this [`User::id`](crate::User::id).
    #[must_use]
    pub fn allow_member(mut self, user_id: impl Into<String>, allowed: impl Into<GrantSet>) -> Overwrites {
        self.members.entry(user_id.into()).or_default().allow.allow(&allowed.into());
        self
    }

    /// Applies these overwrites to a user's base grants and returns the grants for this object.
    ///
    /// `user_id` is the [`User::id`](crate::User::id) that [`deny_member`](Overwrites::deny_member) and
    /// [`allow_member`](Overwrites::allow_member) compare with.
    pub fn apply(&self, base: &UserGrants, user_id: &str) -> GrantSet {
        if self.is_missing {
            return GrantSet::new();
        }
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
    fn missing_object_denies_administrators_and_what_it_allows() {
        let all = UserGrants::from(GrantSet::all());
        let missing = Overwrites::missing().allow_everyone(READ).allow_member("7", READ);
        assert_eq!(missing.apply(&all, "7"), GrantSet::new());
        assert_eq!(missing.apply(&UserGrants::from(GrantSet::from(READ)), "7"), GrantSet::new());
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
