//! A member of a group: a session with its membership, and the scope by which its user is shown to other members.

use std::sync::Arc;

use super::remote_user::RemoteUser;
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

/// The scope by which a user is shown.
pub(super) enum MemberScope<C: Consumer> {
    /// That of a connection. It stays that scope if the connection authenticates again, until the new user has passed the group's
    /// permission.
    Connection {
        session: Arc<Session<C>>,
        /// `None` if it is the scope of the handshake, which the session owns.
        renewed: Option<Arc<Scope<<C as Handler>::User>>>,
    },
    /// The user is connected to other machines.
    Remote(Arc<RemoteUser<<C as Handler>::User>>),
}

impl<C: Consumer> MemberScope<C> {
    /// Returns a scope that was the current one of a connection, or `None` if it is anonymous.
    pub(super) fn new(session: &Arc<Session<C>>, scope: CurrentScope<'_, C::User>) -> Option<MemberScope<C>> {
        scope.user()?;
        let renewed = match scope {
            CurrentScope::Initial(_) => None,
            CurrentScope::Renewed(scope) => Some(scope),
        };
        Some(MemberScope::Connection { session: session.clone(), renewed })
    }

    /// Returns the session of the connection. `None` if it is on another machine.
    pub(super) fn session(&self) -> Option<&Arc<Session<C>>> {
        match self {
            MemberScope::Connection { session, .. } => Some(session),
            MemberScope::Remote(_) => None,
        }
    }

    /// Returns the user, or `None` if it is hidden.
    pub(super) fn user(&self) -> Option<&C::User> {
        match self {
            MemberScope::Remote(user) => user.current(),
            MemberScope::Connection { .. } => self.former_user(),
        }
    }

    /// Returns the user as viewers may have seen it.
    pub(super) fn former_user(&self) -> Option<&C::User> {
        match self {
            MemberScope::Connection { renewed: Some(scope), .. } => scope.user(),
            MemberScope::Connection { session, .. } => session.initial_scope.get().and_then(Scope::user),
            MemberScope::Remote(user) => user.former(),
        }
    }

    /// Returns whether [`user`](MemberScope::user) has hidden the user, although it was loaded.
    pub(super) fn was_hidden(&self) -> bool {
        matches!(self, MemberScope::Remote(user) if user.was_hidden())
    }

    /// Returns a number that distinguishes scopes. It is valid while the scope is alive, which this value ensures.
    pub(super) fn address(&self) -> usize {
        match self {
            MemberScope::Connection { renewed: Some(scope), .. } => Arc::as_ptr(scope).addr(),
            MemberScope::Connection { session, .. } => Arc::as_ptr(session).addr(),
            MemberScope::Remote(user) => Arc::as_ptr(user).addr(),
        }
    }
}

impl<C: Consumer> Clone for MemberScope<C> {
    fn clone(&self) -> Self {
        match self {
            MemberScope::Connection { session, renewed } => {
                MemberScope::Connection { session: session.clone(), renewed: renewed.clone() }
            }
            MemberScope::Remote(user) => MemberScope::Remote(user.clone()),
        }
    }
}
