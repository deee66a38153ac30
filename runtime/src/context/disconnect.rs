//! The context of `#[disconnect]`: a connection that has ended, and why.

use std::any::Any;
use std::fmt;

use super::Scope;

/// A connection that has ended, as [`#[disconnect]`](macro@crate::disconnect) receives it.
///
/// ```standalone_crate
/// use portcullis::{AllowAny, Disconnect, DisconnectReason, consumer};
///
/// struct Chat;
///
/// #[consumer]
/// impl Chat {
///     #[disconnect]
///     async fn on_disconnect(&self, cx: &Disconnect<'_, ()>) {
///         if let DisconnectReason::Closed { code, .. } = cx.reason() {
///             println!("{} was closed with {code}", cx.scope().connection_id());
///         }
///     }
///
///     #[action(permission = AllowAny)]
///     async fn ping(&self) {}
/// }
/// ```
pub struct Disconnect<'a, U> {
    scope: &'a Scope<U>,
    reason: DisconnectReason,
    session: &'a (dyn Any + Send + Sync),
    ended_memberships: &'a (dyn Any + Send + Sync),
}

/// Why a connection has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DisconnectReason {
    /// The client closed the connection or went away, or nothing could be sent to it.
    PeerGone,
    /// The server closed the connection.
    #[non_exhaustive]
    Closed {
        /// The close code. The [wire protocol](crate::guide::wire_protocol#close-codes) lists those of Portcullis; others
        /// are those of [`Context::close`](crate::Context::close).
        code: u16,
    },
}

impl<'a, U> Disconnect<'a, U> {
    pub(crate) fn new(
        scope: &'a Scope<U>,
        reason: DisconnectReason,
        session: &'a (dyn Any + Send + Sync),
        ended_memberships: &'a (dyn Any + Send + Sync),
    ) -> Disconnect<'a, U> {
        Disconnect { scope, reason, session, ended_memberships }
    }

    /// Returns the scope of the connection: its user and the HTTP request that opened it.
    pub fn scope(&self) -> &'a Scope<U> {
        self.scope
    }

    /// Returns the user, or `None` if the connection was anonymous.
    pub fn user(&self) -> Option<&'a U> {
        self.scope.user()
    }

    /// Returns why the connection has ended.
    pub fn reason(&self) -> DisconnectReason {
        self.reason
    }

    /// Returns the session, for publishing.
    pub(crate) fn session(&self) -> &'a (dyn Any + Send + Sync) {
        self.session
    }

    /// Returns the memberships that the connection had when it ended.
    pub(crate) fn ended_memberships(&self) -> &'a (dyn Any + Send + Sync) {
        self.ended_memberships
    }
}

impl<U> fmt::Debug for Disconnect<'_, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disconnect").field("scope", self.scope).field("reason", &self.reason).finish_non_exhaustive()
    }
}
