//! Changes of rights while clients are connected: the public handle [`Connections`].

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;

use super::session::{Session, SessionRegistry};
use crate::consumer::Consumer;
use crate::context::{OwnEpochs, Scope};
use crate::grants::ObjectKey;
use crate::transport::CloseCode;

/// A handle to the connections of an endpoint, by which the application reports that rights have changed.
///
/// Returned by [`Endpoint::connections`](crate::Endpoint::connections), and by
/// [`Context::connections`](crate::Context::connections) for use in an action. Call it after the change has been stored.
///
/// Each `refresh_*` call loads grants anew and revalidates the sessions concerned. A connection whose connect permission no
/// longer holds is closed with 4403; a connection whose group permission no longer holds leaves that group. Queued events
/// are authorized again, and running actions are reauthorized before their replies are sent. After a call has returned, no
/// event is delivered and no action starts on the rights from before the change. Cloning returns another handle.
///
/// # Cancel safety
///
/// A `refresh_*` call begins the revalidation of all sessions concerned when its future is first polled. If the future is
/// dropped after that, the revalidation continues; only the wait for it is abandoned.
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
/// connections.refresh_user("7").await;
/// # }
/// ```
pub struct Connections<C: Consumer> {
    registry: Arc<SessionRegistry<C>>,
    /// In an action: the id of its own session, and the epochs that the action begins there. It is not reauthorized for
    /// them.
    own_session: Option<(u64, OwnEpochs)>,
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
    pub async fn refresh_user(&self, user_id: &str) {
        self.registry.record_change();
        self.refresh(&self.registry.sessions_of_user(user_id), Scope::forget_grants).await;
    }

    /// Revalidates the connections of several users, by [`User::id`](crate::User::id), after their rights have changed.
    pub async fn refresh_users(&self, user_ids: impl IntoIterator<Item: AsRef<str>>) {
        self.registry.record_change();
        let sessions: Vec<_> =
            user_ids.into_iter().flat_map(|user_id| self.registry.sessions_of_user(user_id.as_ref())).collect();
        self.refresh(&sessions, Scope::forget_grants).await;
    }

    /// Revalidates the connections of all users that hold a role, after the grants of this role have changed.
    ///
    /// Users are found by the [`roles`](crate::UserGrants::roles) that their grants were loaded with. Connections whose
    /// grants have not been loaded yet, or were loaded without any role, are included. If the overwrites of an object for
    /// this role have changed, call [`refresh_object`](Connections::refresh_object) or
    /// [`refresh_all`](Connections::refresh_all).
    pub async fn refresh_role(&self, role: &str) {
        self.registry.record_change();
        let is_concerned = |session: &Arc<Session<C>>| {
            let concerned = Cell::new(false);
            // A replaced user of the same connection may still have actions running.
            session.for_each_scope(|scope| concerned.set(concerned.get() || scope.may_have_role(role)));
            concerned.get()
        };
        let sessions: Vec<_> = self.registry.sessions().into_iter().filter(is_concerned).collect();
        self.refresh(&sessions, Scope::forget_grants).await;
    }

    /// Revalidates all connections after the overwrites of an object have changed.
    pub async fn refresh_object(&self, object: &ObjectKey) {
        self.registry.forget_object(object);
        self.registry.record_change();
        // The base grants of the users have not changed.
        self.refresh(&self.registry.sessions(), |_| ()).await;
    }

    /// Loads all grants and overwrites anew and revalidates all connections.
    pub async fn refresh_all(&self) {
        self.registry.forget_all();
        self.registry.record_change();
        self.refresh(&self.registry.sessions(), Scope::forget_grants).await;
    }

    /// Closes every connection of a user, by [`User::id`](crate::User::id), with 4403, including those whose handshake is
    /// in progress. After it has returned, no further action of this user starts.
    pub fn disconnect_user(&self, user_id: &str) {
        self.registry.record_disconnect(user_id);
        for session in self.registry.sessions_of_user(user_id) {
            session.close_with(CloseCode::Revoked);
        }
    }

    /// Begins the revalidation of all sessions before it waits for the first, so that dropping the future loses none.
    async fn refresh(&self, sessions: &[Arc<Session<C>>], invalidate: fn(&Scope<C::User>)) {
        let begin = |session: &Arc<Session<C>>| {
            let change = session.begin_revalidation(|| session.for_each_scope(invalidate));
            if let Some((own_id, own_epochs)) = &self.own_session
                && *own_id == session.id
            {
                own_epochs.add(change.epoch);
            }
            change
        };
        let changes: Vec<_> = sessions.iter().map(begin).collect();
        for change in changes {
            change.wait().await;
        }
    }
}

impl<C: Consumer> Session<C> {
    /// Revalidates the session if rights have changed since change number `changes_at_start`, which was the latest when the
    /// handshake began.
    pub(crate) async fn revalidate_since(self: &Arc<Self>, changes_at_start: u64) {
        if self.registry.change_count() == changes_at_start {
            return;
        }
        if self.registry.was_disconnected_since(self.user_id(), changes_at_start) {
            return self.close_with(CloseCode::Revoked);
        }
        if self.registry.tombstones_expired_since(changes_at_start) {
            // The user may connect again, and is then authorized anew.
            return self.close_with(CloseCode::Failed);
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
