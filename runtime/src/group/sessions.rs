//! Changes of what people may do, while they are connected.

use std::fmt;
use std::sync::Arc;

use super::hub::Hub;
use super::seat::Seat;
use crate::consumer::Consumer;
use crate::grants::ObjectKey;
use crate::scope::Scope;
use crate::transport::CloseCode;

/// The connections of an endpoint, to be told that somebody may do more or less than before.
///
/// Grants are loaded anew, and the permissions of the door and of every group are asked again. Whoever may not connect any
/// more is closed with 4403; whoever may not be in a group any more is taken out of it. Events that waited are asked about
/// again. When a call returns, nothing is delivered any more on what was true before. Cloning gives another handle.
pub struct Sessions<C: Consumer>(Arc<Hub<C>>);

impl<C: Consumer> Sessions<C> {
    pub(crate) fn new(hub: Arc<Hub<C>>) -> Sessions<C> {
        Sessions(hub)
    }

    /// What this user may do has changed.
    pub async fn refresh_user(&self, user_id: &str) {
        self.0.change();
        refresh(&self.0.seats_of(user_id), Scope::forget_grants).await;
    }

    /// What this object overwrites has changed.
    pub async fn refresh_object(&self, object: &ObjectKey) {
        self.0.forget_object(object);
        self.0.change();
        // What each was granted elsewhere is still true.
        refresh(&self.0.seats(), |_| ()).await;
    }

    /// Something has changed for everybody: what a role may do, say.
    pub async fn refresh_all(&self) {
        self.0.forget_all();
        self.0.change();
        refresh(&self.0.seats(), Scope::forget_grants).await;
    }

    /// Closes every connection of this user with 4403, and those that are being made.
    pub fn disconnect_user(&self, user_id: &str) {
        self.0.disconnect(user_id);
        for seat in self.0.seats_of(user_id) {
            seat.end(CloseCode::Revoked);
        }
    }
}

/// All of them are told at once, so that it is done even where nobody waits for the rest.
async fn refresh<C: Consumer>(seats: &[Arc<Seat<C>>], forget: fn(&Scope<C::User>)) {
    let changes: Vec<_> = seats.iter().map(|seat| seat.change(forget)).collect();
    for change in changes {
        change.through().await;
    }
}

impl<C: Consumer> Seat<C> {
    /// Asks again if something has changed since the door began to ask.
    pub(crate) async fn catch_up_with(self: &Arc<Self>, asked_at: u64) {
        if self.hub.changes() == asked_at {
            return;
        }
        if self.hub.is_disconnected(self, asked_at) {
            return self.end(CloseCode::Revoked);
        }
        self.change(Scope::forget_grants).through().await;
    }
}

impl<C: Consumer> Clone for Sessions<C> {
    fn clone(&self) -> Self {
        Sessions(self.0.clone())
    }
}

impl<C: Consumer> fmt::Debug for Sessions<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sessions").field(&C::NAME).finish()
    }
}
