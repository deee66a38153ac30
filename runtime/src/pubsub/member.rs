//! A member of a group: a session with its membership, and the scope by which its user is shown to other members.

use std::sync::Arc;

use crate::consumer::Consumer;
use crate::context::{Handler, Scope};
use crate::session::current_scope::CurrentScope;
use crate::session::membership::Membership;
use crate::session::session::Session;

/// A member. The session is kept next to the membership, so that a refused delivery does not read the membership.
pub(crate) struct Member<C: Consumer> {
    pub(crate) session: Arc<Session<C>>,
    pub(crate) membership: Arc<Membership>,
}

impl<C: Consumer> Clone for Member<C> {
    fn clone(&self) -> Self {
        Member { session: self.session.clone(), membership: self.membership.clone() }
    }
}

/// The scope of a connection by which its user is shown. It stays that scope if the connection authenticates again, until the
/// new user has passed the group's permission.
pub(super) struct MemberScope<C: Consumer> {
    pub(super) session: Arc<Session<C>>,
    /// `None` if it is the scope of the handshake, which the session owns.
    renewed: Option<Arc<Scope<<C as Handler>::User>>>,
}

impl<C: Consumer> MemberScope<C> {
    /// Returns a scope that was the current one of a connection, or `None` if it is anonymous.
    pub(super) fn new(session: &Arc<Session<C>>, scope: CurrentScope<'_, C::User>) -> Option<MemberScope<C>> {
        scope.user()?;
        let renewed = match scope {
            CurrentScope::Initial(_) => None,
            CurrentScope::Renewed(scope) => Some(scope),
        };
        Some(MemberScope { session: session.clone(), renewed })
    }

    pub(super) fn user(&self) -> Option<&C::User> {
        match &self.renewed {
            Some(scope) => scope.user(),
            None => self.session.initial_scope.get().and_then(Scope::user),
        }
    }

    /// Returns a number that distinguishes scopes. It is valid while the scope is alive, which this value ensures.
    pub(super) fn address(&self) -> usize {
        match &self.renewed {
            Some(scope) => Arc::as_ptr(scope).addr(),
            None => Arc::as_ptr(&self.session).addr(),
        }
    }
}

impl<C: Consumer> Clone for MemberScope<C> {
    fn clone(&self) -> Self {
        MemberScope { session: self.session.clone(), renewed: self.renewed.clone() }
    }
}
