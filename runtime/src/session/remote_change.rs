//! Changes of rights between machines: passing them on, and applying those of others.

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use super::refresh_target::{Change, Started};
use super::registry::Disconnected;
use super::session::SessionRegistry;
use crate::broker::{ChangeMessage, Propagation, SentChange};
use crate::consumer::Consumer;
use crate::context::ConnectionId;
use crate::grants::{ObjectId, ObjectKey};
use crate::sync::ignore_poison;
use crate::transport::CloseReason;

/// The number of kinds of objects of which the names are kept, and the length of one in bytes. An application has a few.
const MAX_KINDS: usize = 1024;
const MAX_KIND_LEN: usize = 256;

/// Returns the kind of objects with this name, which is never freed. `None` if it is too long, or if there are too many.
fn intern_kind(name: &str) -> Option<&'static str> {
    static KINDS: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut kinds = ignore_poison(KINDS.lock());
    if let Some(kind) = kinds.get(name) {
        return Some(kind);
    }
    if kinds.len() >= MAX_KINDS || name.len() > MAX_KIND_LEN {
        return None;
    }
    let kind: &'static str = String::leak(name.to_owned());
    kinds.insert(kind);
    Some(kind)
}

impl Change {
    fn message(&self) -> ChangeMessage<'_> {
        match self {
            Change::Users(user_ids) => ChangeMessage::Users(user_ids.iter().map(String::as_str).collect()),
            Change::Role(role) => ChangeMessage::Role(role),
            Change::Objects(objects) => ChangeMessage::objects(objects),
            Change::All => ChangeMessage::All,
        }
    }
}

/// Waits for the other machines, if there are any.
async fn wait_for(sent: Option<SentChange>) -> Propagation {
    match sent {
        Some(sent) => sent.wait().await,
        None => Propagation::on_one_machine(),
    }
}

impl<C: Consumer> SessionRegistry<C> {
    /// Passes a change on to the other machines, which has taken effect here or will in a moment. `None` if there is only this
    /// one.
    pub(super) fn send_change(&self, change: &Change) -> Option<SentChange> {
        self.send(&change.message())
    }

    fn send(&self, message: &ChangeMessage<'_>) -> Option<SentChange> {
        Some(SentChange::new(self.node.get()?, message))
    }

    /// Closes the connections of a user, except for `keep`, here and on all other machines.
    pub(super) async fn disconnect_user_everywhere(&self, user_id: &str, keep: Option<ConnectionId>) -> Propagation {
        self.disconnect_user_here(user_id, keep);
        wait_for(self.send(&ChangeMessage::DisconnectUser { user_id, keep })).await
    }

    /// Closes a connection, on whichever machine it is.
    pub(super) async fn disconnect_everywhere(&self, id: ConnectionId) -> Propagation {
        self.disconnect_here(id);
        wait_for(self.send(&ChangeMessage::Disconnect(id))).await
    }

    fn disconnect_user_here(&self, user_id: &str, keep: Option<ConnectionId>) {
        self.record_disconnect(Disconnected::User(user_id.to_owned()), keep);
        for session in self.sessions_of_user(user_id) {
            if keep != Some(session.id) {
                session.close_with(CloseReason::Revoked);
            }
        }
    }

    fn disconnect_here(&self, id: ConnectionId) {
        self.record_disconnect(Disconnected::Connection(id), None);
        if let Some(session) = self.session(id) {
            session.close_with(CloseReason::Revoked);
        }
    }

    /// Closes all connections, because a disconnect of any of them may have been missed.
    pub(crate) fn close_cut_off(&self) {
        self.record_missed_disconnects();
        for session in self.sessions() {
            session.close_with(CloseReason::CutOff);
        }
    }

    /// Applies a change of another machine, and calls `done` when it has taken effect.
    pub(crate) fn apply_remote(self: Arc<Self>, message: &ChangeMessage<'_>, done: Box<dyn FnOnce() + Send>) {
        let change = match message {
            ChangeMessage::Users(user_ids) => Change::Users(user_ids.iter().map(|id| (*id).to_owned()).collect()),
            ChangeMessage::Role(role) => Change::Role((*role).to_owned()),
            ChangeMessage::Objects(objects) => {
                let key = |(kind, id): &(&str, ObjectId)| Some(ObjectKey::new(intern_kind(kind)?, id.clone()));
                objects.iter().map(key).collect::<Option<_>>().map_or(Change::All, Change::Objects)
            }
            ChangeMessage::All => Change::All,
            ChangeMessage::DisconnectUser { user_id, keep } => {
                self.disconnect_user_here(user_id, *keep);
                return done();
            }
            ChangeMessage::Disconnect(id) => {
                self.disconnect_here(*id);
                return done();
            }
        };
        let targets = self.with_linked_targets();
        for target in &targets {
            target.forget(&change);
        }
        let mut started: Vec<Started> = targets.into_iter().map(|target| target.begin(&change, None)).collect();
        if started.iter().all(|started| matches!(started, Started::Raised(_))) {
            return done();
        }
        tokio::spawn(async move {
            poll_fn(|cx| {
                let poll = |is_pending, one: &mut Started| one.poll_raised(cx).is_pending() | is_pending;
                if started.iter_mut().fold(false, poll) { Poll::Pending } else { Poll::Ready(()) }
            })
            .await;
            done();
        });
    }
}
