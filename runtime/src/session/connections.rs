//! Changes of what people may do, while they are connected.

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;

use super::registry::SessionRegistry;
use super::session::Session;
use crate::consumer::Consumer;
use crate::context::Scope;
use crate::grants::ObjectKey;
use crate::message::OwnEpochs;
use crate::transport::CloseCode;

/// The connections of an endpoint, to be told that somebody may do more or less than before.
///
/// Each call loads grants anew and revalidates the sessions concerned. A connection whose connect permission no longer
/// holds is closed with 4403; a connection whose group permission no longer holds leaves that group. Queued events are
/// authorized again, and running actions are reauthorized before their replies are sent. After a call has returned, no
/// event is delivered and no action starts on the rights from before the change. Cloning returns another handle.
pub struct Connections<C: Consumer> {
    hub: Arc<SessionRegistry<C>>,
    /// Where an action changes its own caller's rights: whose they are, and what it changes.
    own: Option<(u64, OwnEpochs)>,
}

impl<C: Consumer> Connections<C> {
    pub(crate) fn new(hub: Arc<SessionRegistry<C>>) -> Connections<C> {
        Connections { hub, own: None }
    }

    /// As an action has it that runs for whoever sits there.
    pub(crate) fn of_action(seat: &Session<C>, changes: OwnEpochs) -> Connections<C> {
        Connections { hub: seat.hub.clone(), own: Some((seat.id, changes)) }
    }

    /// What this user, by [`User::id`](crate::User::id), may do has changed.
    pub async fn refresh_user(&self, user_id: &str) {
        self.hub.change();
        self.refresh(&self.hub.seats_of(user_id), Scope::forget_grants).await;
    }

    /// What each of these users may do has changed.
    pub async fn refresh_users(&self, user_ids: impl IntoIterator<Item: AsRef<str>>) {
        self.hub.change();
        let seats: Vec<_> = user_ids.into_iter().flat_map(|user_id| self.hub.seats_of(user_id.as_ref())).collect();
        self.refresh(&seats, Scope::forget_grants).await;
    }

    /// What a role may do has changed. (What objects overwrite for it is told by
    /// [`refresh_object`](Connections::refresh_object), or [`refresh_all`](Connections::refresh_all).)
    ///
    /// It concerns everybody whose grants were loaded with that role among their
    /// [`roles`](crate::UserGrants::roles), with none at all, as then nobody knows, or not yet.
    pub async fn refresh_role(&self, role: &str) {
        self.hub.change();
        let concerned = |seat: &Arc<Session<C>>| {
            let concerned = Cell::new(false);
            // What runs for whoever sat there before counts too.
            seat.each_scope(|scope| concerned.set(concerned.get() || scope.may_have_role(role)));
            concerned.get()
        };
        let seats: Vec<_> = self.hub.seats().into_iter().filter(concerned).collect();
        self.refresh(&seats, Scope::forget_grants).await;
    }

    /// What this object overwrites has changed.
    pub async fn refresh_object(&self, object: &ObjectKey) {
        self.hub.forget_object(object);
        self.hub.change();
        // What each was granted elsewhere is still true.
        self.refresh(&self.hub.seats(), |_| ()).await;
    }

    /// Something has changed for everybody.
    pub async fn refresh_all(&self) {
        self.hub.forget_all();
        self.hub.change();
        self.refresh(&self.hub.seats(), Scope::forget_grants).await;
    }

    /// Closes every connection of this user with 4403, including those whose handshake is in progress. After it has
    /// returned, no further action of this user starts.
    pub fn disconnect_user(&self, user_id: &str) {
        self.hub.disconnect(user_id);
        for seat in self.hub.seats_of(user_id) {
            seat.end(CloseCode::Revoked);
        }
    }

    /// All of them are told at once, so that it is done even where nobody waits for the rest.
    async fn refresh(&self, seats: &[Arc<Session<C>>], forget: fn(&Scope<C::User>)) {
        let tell = |seat: &Arc<Session<C>>| {
            let change = seat.change(|| seat.each_scope(forget));
            if let Some((own, changes)) = &self.own
                && *own == seat.id
            {
                changes.add(change.epoch);
            }
            change
        };
        let changes: Vec<_> = seats.iter().map(tell).collect();
        for change in changes {
            change.through().await;
        }
    }
}

impl<C: Consumer> Session<C> {
    /// Asks again if something has changed since the door began to ask.
    pub(crate) async fn catch_up_with(self: &Arc<Self>, asked_at: u64) {
        if self.hub.changes() == asked_at {
            return;
        }
        if self.hub.is_disconnected(self, asked_at) {
            return self.end(CloseCode::Revoked);
        }
        if self.hub.has_forgotten(asked_at) {
            // Whoever it is may come again, and is asked then.
            return self.end(CloseCode::Failed);
        }
        self.change(|| self.each_scope(Scope::forget_grants)).through().await;
    }
}

impl<C: Consumer> Clone for Connections<C> {
    fn clone(&self) -> Self {
        Connections { hub: self.hub.clone(), own: self.own.clone() }
    }
}

impl<C: Consumer> fmt::Debug for Connections<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Connections").field(&C::NAME).finish()
    }
}
