//! A membership as the session keeps it: with its group, and the table that lists it.

use std::any::Any;
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::group::Group;
use super::group_evaluation::authorize_scope_within;
use super::group_table::{GroupTable, MemberList};
use super::join_request::JoinRequest;
use super::member::MemberScope;
use crate::consumer::Consumer;
use crate::context::{Epoch, Handler, Scope};
use crate::error::Result;
use crate::message::RequestId;
use crate::panic::Contained;
use crate::session::current_scope::CurrentScope;
use crate::session::membership::{GroupSlot, Membership};
use crate::session::memberships::MembershipEntry;
use crate::session::session::{Session, SessionRegistry};

/// A membership with its group and table, as the session keeps it.
struct GroupMembership<G: Group> {
    group: Contained<G>,
    table: Arc<GroupTable<G>>,
    /// The list of members. The table keeps it for as long as this is one of them.
    list: Weak<MemberList<G>>,
    session: Arc<Session<G::Consumer>>,
    membership: Arc<Membership>,
}

impl<G: Group> MembershipEntry<G::Consumer> for GroupMembership<G> {
    fn is_group(&self, group: &dyn Any) -> bool {
        group.downcast_ref::<G>() == Some(&*self.group)
    }

    fn is_held_by(&self, id: Option<&RequestId>) -> bool {
        self.membership.is_held_by(id)
    }

    fn slot_count(&self) -> usize {
        self.membership.slot_count()
    }

    fn hold(&self, id: Option<RequestId>, slot: GroupSlot) {
        self.membership.hold(id, slot, &self.session.send_queue);
    }

    fn release(&self, id: Option<&RequestId>) -> bool {
        self.membership.release(id, &self.session.send_queue)
    }

    fn membership(&self) -> &Arc<Membership> {
        &self.membership
    }

    fn authorize_member<'a>(
        &'a self,
        consumer: &'a G::Consumer,
        scope: &'a Scope<<G::Consumer as Handler>::User>,
        limit: Duration,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(authorize_scope_within(limit, &*self.group, consumer, scope))
    }

    fn group_type(&self) -> &'static str {
        G::NAME
    }

    fn leave(&self) {
        // Ended first, so that no event is enqueued through it from here on.
        self.membership.end(&self.session.send_queue);
        if let Some(list) = self.list.upgrade() {
            self.table.remove(&list, &self.membership);
            list.announce(&self.session, false);
        }
    }

    fn add_user(&self, scope: CurrentScope<'_, <G::Consumer as Handler>::User>, epoch: Epoch) {
        let Some(list) = self.list.upgrade().filter(|_| G::PRESENCE.is_some()) else { return };
        list.attach_remote_users();
        if let Some(scope) = MemberScope::new(&self.session, scope) {
            list.add_user(&self.membership, &scope, epoch);
        }
    }

    fn group(&self) -> &dyn Any {
        &*self.group
    }
}

impl<C: Consumer> SessionRegistry<C> {
    /// Adds a session to a group; the group's permission must have been evaluated before. Returns whether the membership
    /// was not held that way before.
    pub(crate) fn add_member<G: Group<Consumer = C>>(
        &self,
        session: &Arc<Session<C>>,
        request: JoinRequest<G>,
    ) -> bool {
        let JoinRequest { group, name, id, slot, hold, .. } = request;
        // Without a reserved slot the session was a member when the join was authorized, but may have left since.
        let Some(slot) = slot.or_else(|| session.memberships.reserve_slot(0).ok()) else { return false };
        // Both the table and the session keep the key.
        let key = Contained::new(G::clone(&group));
        session.memberships.add(&*key, id, slot, |id, slot| {
            let table = self.group_table::<G>();
            let (list, membership) = table.insert(&group, (name.as_ref(), hold.as_ref()), session, id, slot);
            let list = Arc::downgrade(&list);
            Arc::new(GroupMembership { group, table, list, session: session.clone(), membership })
        })
    }
}
