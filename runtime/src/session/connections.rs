//! Changes of rights while clients are connected: the public handle [`Connections`].

use std::fmt;
use std::sync::Arc;

use super::refresh::Refresh;
use super::refresh_target::Change;
use super::session::{Session, SessionRegistry};
use crate::broker::Propagation;
use crate::consumer::Consumer;
use crate::context::{ConnectionId, OwnEpochs, Scope};
use crate::grants::ObjectKey;
use crate::transport::CloseReason;

/// A handle to the connections of an endpoint, by which the application reports that rights have changed.
///
/// Returned by [`Endpoint::connections`](crate::Endpoint::connections), and by
/// [`Context::connections`](crate::Context::connections) for use in an action. Call it after the change has been stored.
///
/// Each `refresh_*` call loads grants anew and revalidates the sessions concerned. A connection whose connect permission no
/// longer holds is closed with 4403; a connection whose group permission no longer holds leaves that group. Queued events
/// are authorized again, and running actions are reauthorized before their replies are sent. After a call has completed with
/// an acknowledged [`Propagation`], no event is delivered and no action starts on the rights from before the change;
/// [`Refresh::revalidated`] also waits for the revalidations. Cloning returns another handle.
///
/// Without a [broker](crate::Endpoint::broker) a call is always acknowledged, as the examples assert. With one, handle each
/// [`Propagation`]: `Incomplete` is normal in the first eleven seconds after the broker was connected.
///
/// # Cancel safety
///
/// Every call takes effect when its future is first polled, see [`Refresh`]. If the future is dropped after that, the change
/// and the revalidations continue.
///
/// # Shared grant caches
///
/// A `refresh_*` call also reaches the connections of endpoints that share a [`GrantCache`](crate::GrantCache) with this one.
///
/// # Examples
///
/// ```standalone_crate
/// # use portcullis::{AllowAny, GrantSet, GrantSource, Result, Connections, User, UserGrants, consumer};
/// # struct Member;
/// # impl User for Member { fn id(&self) -> std::borrow::Cow<'_, str> { "7".into() } }
/// # struct Roles;
/// # impl GrantSource<Member> for Roles {
/// #     async fn load(&self, _: &Member) -> Result<UserGrants> { Ok(GrantSet::new().into()) }
/// # }
/// # struct Chat;
/// # #[consumer(user = Member)]
/// # impl Chat { #[action(permission = AllowAny)] async fn ping(&self) {} }
/// # async fn demote(chat: portcullis::Endpoint<Chat>) {
/// let connections: Connections<Chat> = chat.connections();
/// // The role of user 7 has been taken away in the database; then:
/// assert!(connections.refresh_user("7").await.is_acknowledged());
/// # }
/// ```
pub struct Connections<C: Consumer> {
    registry: Arc<SessionRegistry<C>>,
    /// In an action: the id of its own session, and the epochs that the action begins there. It is not reauthorized for
    /// them.
    own_session: Option<(ConnectionId, OwnEpochs)>,
}

impl<C: Consumer> Connections<C> {
    pub(crate) fn new(registry: Arc<SessionRegistry<C>>) -> Connections<C> {
        Connections { registry, own_session: None }
    }

    /// Creates the handle for an action that runs on `session`.
    pub(crate) fn for_action(session: &Session<C>, own_epochs: OwnEpochs) -> Connections<C> {
        Connections { registry: session.registry.clone(), own_session: Some((session.id, own_epochs)) }
    }

    /// Revalidates the connections of one user, by [`User::id`](crate::User::id), after their rights have changed.
    pub fn refresh_user(&self, user_id: &str) -> Refresh<C> {
        self.refresh(Change::Users(vec![user_id.to_owned()]))
    }

    /// Revalidates the connections of several users, by [`User::id`](crate::User::id), after their rights have changed.
    pub fn refresh_users(&self, user_ids: impl IntoIterator<Item: AsRef<str>>) -> Refresh<C> {
        self.refresh(Change::Users(user_ids.into_iter().map(|user_id| user_id.as_ref().to_owned()).collect()))
    }

    /// Revalidates the connections of all users that hold a role, after the grants of this role have changed.
    ///
    /// Users are found by the [`roles`](crate::UserGrants::roles) that their grants were loaded with. Connections whose
    /// grants have not been loaded yet, or were loaded without any role, are included. If the overwrites of an object for
    /// this role have changed, call [`refresh_object`](Connections::refresh_object) or
    /// [`refresh_all`](Connections::refresh_all).
    pub fn refresh_role(&self, role: &str) -> Refresh<C> {
        self.refresh(Change::Role(role.to_owned()))
    }

    /// Revalidates connections after the overwrites of an object have changed: those for which a codename was evaluated for
    /// this object.
    ///
    /// A permission that looks up the object itself, and not by a codename, is not known to depend on it: call
    /// [`refresh_all`](Connections::refresh_all) if it does.
    pub fn refresh_object(&self, object: &ObjectKey) -> Refresh<C> {
        self.refresh(Change::Objects(vec![object.clone()]))
    }

    /// Loads all grants and overwrites anew and revalidates all connections.
    pub fn refresh_all(&self) -> Refresh<C> {
        self.refresh(Change::All)
    }

    fn refresh(&self, change: Change) -> Refresh<C> {
        Refresh::new(self.registry.clone(), self.own_session.clone(), change)
    }

    /// Closes every connection of a user, by [`User::id`](crate::User::id), with 4403, including those whose handshake is
    /// in progress. After it has completed with an acknowledged [`Propagation`], no further action of this user starts.
    pub async fn disconnect_user(&self, user_id: &str) -> Propagation {
        self.registry.disconnect_user_everywhere(user_id, None).await
    }

    /// Closes every connection of a user, by [`User::id`](crate::User::id), with 4403, except the one with the id
    /// `keep`, for "log out everywhere else". Includes those whose handshake is in progress. After it has completed with an
    /// acknowledged [`Propagation`], no further action of this user starts on another connection than `keep`.
    ///
    /// If `keep` has ended or belongs to another user, all connections of the user are closed.
    ///
    /// # Examples
    ///
    /// ```standalone_crate
    /// # use portcullis::{Context, IsAuthenticated, Result, User, consumer};
    /// # struct Member(u64);
    /// # impl User for Member { fn id(&self) -> std::borrow::Cow<'_, str> { self.0.to_string().into() } }
    /// # struct LoginSessions;
    /// # impl LoginSessions { async fn delete_others(&self, _: u64, _: portcullis::ConnectionId) -> Result<()> { Ok(()) } }
    /// # struct Chat { login_sessions: LoginSessions }
    /// # #[consumer(user = Member)]
    /// # impl Chat {
    /// #[action(permission = IsAuthenticated)]
    /// async fn log_out_elsewhere(&self, cx: &Context<'_, Member>) -> Result<()> {
    ///     let (member, own) = (cx.require_user()?, cx.scope().connection_id());
    ///     // First, so that no later handshake is accepted.
    ///     self.login_sessions.delete_others(member.0, own).await?;
    ///     let propagation = cx.connections::<Chat>()?.disconnect_others(&member.id(), own).await;
    ///     assert!(propagation.is_acknowledged());
    ///     Ok(())
    /// }
    /// # }
    /// ```
    pub async fn disconnect_others(&self, user_id: &str, keep: ConnectionId) -> Propagation {
        self.registry.disconnect_user_everywhere(user_id, Some(keep)).await
    }

    /// Closes one connection, by [`Scope::connection_id`], with 4403. Does nothing if it has ended. After it has completed
    /// with an acknowledged [`Propagation`], no further action of this connection starts.
    pub async fn disconnect(&self, id: ConnectionId) -> Propagation {
        self.registry.disconnect_everywhere(id).await
    }
}

impl<C: Consumer> Session<C> {
    /// Revalidates the session if rights have changed since change number `changes_at_start`, which was the latest when the
    /// handshake began.
    pub(crate) async fn revalidate_since(self: &Arc<Self>, changes_at_start: u64) {
        if self.registry.change_count() == changes_at_start {
            return;
        }
        if self.registry.was_disconnected_since(self.id, self.user_id(), changes_at_start) {
            return self.close_with(CloseReason::Revoked);
        }
        if self.registry.tombstones_expired_since(changes_at_start) {
            // The user may connect again, and is then authorized anew.
            return self.close_with(CloseReason::Failed);
        }
        self.begin_revalidation(|| self.for_each_scope(Scope::forget_grants)).wait().await;
    }
}

impl<C: Consumer> Clone for Connections<C> {
    fn clone(&self) -> Self {
        Connections { registry: self.registry.clone(), own_session: self.own_session.clone() }
    }
}

impl<C: Consumer> fmt::Debug for Connections<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Connections").field(&C::NAME).finish()
    }
}
