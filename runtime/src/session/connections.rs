//! Changes of what people may do, while they are connected.

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;

use super::registry::SessionRegistry;
use super::session::Session;
use crate::consumer::Consumer;
use crate::context::{OwnEpochs, Scope};
use crate::grants::ObjectKey;
use crate::transport::CloseCode;

/// The connections of an endpoint, to be told that somebody may do more or less than before.
///
/// Each call loads grants anew and revalidates the sessions concerned. A connection whose connect permission no longer
/// holds is closed with 4403; a connection whose group permission no longer holds leaves that group. Queued events are
/// authorized again, and running actions are reauthorized before their replies are sent. After a call has returned, no
/// event is delivered and no action starts on the rights from before the change. Cloning returns another handle.
pub struct Connections<C: Consumer> {
    registry: Arc<SessionRegistry<C>>,
    /// Where an action changes its own caller's rights: whose they are, and what it changes.
    own_session: Option<(u64, OwnEpochs)>,
}

impl<C: Consumer> Connections<C> {
    pub(crate) fn new(registry: Arc<SessionRegistry<C>>) -> Connections<C> {
        Connections { registry, own_session: None }
    }

    /// As an action has it that runs for whoever sits there.
    pub(crate) fn for_action(session: &Session<C>, own_epochs: OwnEpochs) -> Connections<C> {
        Connections { registry: session.registry.clone(), own_session: Some((session.id, own_epochs)) }
    }

    /// What this user, by [`User::id`](crate::User::id), may do has changed.
    pub async fn refresh_user(&self, user_id: &str) {
        self.registry.record_change();
        self.refresh(&self.registry.sessions_of_user(user_id), Scope::forget_grants).await;
    }

    /// What each of these users may do has changed.
    pub async fn refresh_users(&self, user_ids: impl IntoIterator<Item: AsRef<str>>) {
        self.registry.record_change();
        let sessions: Vec<_> =
            user_ids.into_iter().flat_map(|user_id| self.registry.sessions_of_user(user_id.as_ref())).collect();
        self.refresh(&sessions, Scope::forget_grants).await;
    }

    /// What a role may do has changed. (What objects overwrite for it is told by
    /// [`refresh_object`](Connections::refresh_object), or [`refresh_all`](Connections::refresh_all).)
    ///
    /// It concerns everybody whose grants were loaded with that role among their
    /// [`roles`](crate::UserGrants::roles), with none at all, as then nobody knows, or not yet.
    pub async fn refresh_role(&self, role: &str) {
        self.registry.record_change();
        let is_concerned = |session: &Arc<Session<C>>| {
            let concerned = Cell::new(false);
            // What runs for whoever sat there before counts too.
            session.for_each_scope(|scope| concerned.set(concerned.get() || scope.may_have_role(role)));
            concerned.get()
        };
        let sessions: Vec<_> = self.registry.sessions().into_iter().filter(is_concerned).collect();
        self.refresh(&sessions, Scope::forget_grants).await;
    }

    /// What this object overwrites has changed.
    pub async fn refresh_object(&self, object: &ObjectKey) {
        self.registry.forget_object(object);
        self.registry.record_change();
        // What each was granted elsewhere is still true.
        self.refresh(&self.registry.sessions(), |_| ()).await;
    }

    /// Something has changed for everybody.
    pub async fn refresh_all(&self) {
        self.registry.forget_all();
        self.registry.record_change();
        self.refresh(&self.registry.sessions(), Scope::forget_grants).await;
    }

    /// Closes every connection of this user with 4403, including those whose handshake is in progress. After it has
    /// returned, no further action of this user starts.
    pub fn disconnect_user(&self, user_id: &str) {
        self.registry.record_disconnect(user_id);
        for session in self.registry.sessions_of_user(user_id) {
            session.close_with(CloseCode::Revoked);
        }
    }

    /// All of them are told at once, so that it is done even where nobody waits for the rest.
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
    /// Asks again if something has changed since the door began to ask.
    pub(crate) async fn revalidate_since(self: &Arc<Self>, changes_at_start: u64) {
        if self.registry.change_count() == changes_at_start {
            return;
        }
        if self.registry.was_disconnected_since(self, changes_at_start) {
            return self.close_with(CloseCode::Revoked);
        }
        if self.registry.tombstones_expired_since(changes_at_start) {
            // Whoever it is may come again, and is asked then.
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
