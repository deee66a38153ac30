//! The members of all groups of one type.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::ptr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::chunked_list::ChunkedList;
use super::group::Group;
use super::group_evaluation::authorize_scope_within;
use super::join_request::JoinRequest;
use crate::consumer::Consumer;
use crate::context::{Handler, Scope};
use crate::error::Result;
use crate::message::RequestId;
use crate::panic::{Contained, drop_contained};
use crate::session::membership::{GroupSlot, Membership};
use crate::session::memberships::MembershipEntry;
use crate::session::session::{Session, SessionRegistry};
use crate::sync::atomic::Ordering;
use crate::sync::{Mutex, lock};

/// All groups of one type that have members.
pub(crate) struct GroupTable<G: Group> {
    /// Protects the table of groups. Lock order: after `Memberships::list`, before `MemberList::list`.
    groups: Mutex<HashMap<G, Arc<MemberList<G::Consumer>>>>,
}

impl<G: Group> Default for GroupTable<G> {
    fn default() -> Self {
        GroupTable { groups: Mutex::default() }
    }
}

/// The members of one group. A delivery iterates over a snapshot of the list; a member that has left since receives
/// nothing, because its membership has ended.
pub(crate) struct MemberList<C: Consumer> {
    /// The public name of the group in frames.
    pub(crate) name: Option<Arc<str>>,
    /// Protects the list, which is copied on write, and the `list_index` of each membership. Lock order: after
    /// `GroupTable::groups`; no lock is taken under it.
    list: Mutex<SharedMembers<C>>,
}

type SharedMembers<C> = Arc<ChunkedList<Member<C>>>;

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

impl<C: Consumer> MemberList<C> {
    /// Returns a snapshot of the members.
    pub(crate) fn list(&self) -> SharedMembers<C> {
        lock(&self.list).clone()
    }
}

impl<G: Group> GroupTable<G> {
    /// Returns the members of a group, or `None` if it has none.
    pub(crate) fn members(&self, group: &G) -> Option<Arc<MemberList<G::Consumer>>> {
        lock(&self.groups).get(group).cloned()
    }

    /// Adds a session that is not a member yet, held by a join (`id` is `None`) or by the subscription of `id`.
    pub(crate) fn insert(
        &self,
        group: &G,
        name: Option<Arc<str>>,
        session: &Arc<Session<G::Consumer>>,
        id: Option<RequestId>,
        slot: GroupSlot,
    ) -> Arc<Membership> {
        let key = group.clone();
        let mut groups = lock(&self.groups);
        let (members, unused_key) = if let Some(members) = groups.get(group) {
            (members.clone(), Some(key))
        } else {
            let members = Arc::new(MemberList { name, list: Mutex::default() });
            groups.insert(key, members.clone());
            (members, None)
        };
        let group_id = Arc::as_ptr(&members).addr();
        let membership = Arc::new(Membership::new(members.name.clone(), group_id, id, slot));
        let mut list = lock(&members.list);
        let list = Arc::make_mut(&mut list);
        membership.list_index.store(list.len(), Ordering::Relaxed);
        list.push(Member { session: session.clone(), membership: membership.clone() });
        drop(groups);
        // Not under the lock: dropping a key may run the application's code.
        drop_contained(unused_key);
        membership
    }

    /// Removes a membership, and the group if it was the last one.
    fn remove(&self, group: &G, membership: &Membership) {
        let mut groups = lock(&self.groups);
        let Some(members) = groups.get(group) else { return };
        let is_empty = {
            let mut list = lock(&members.list);
            let list = Arc::make_mut(&mut *list);
            // `list_index` changes only under this lock.
            let index = membership.list_index.load(Ordering::Relaxed);
            // The membership may have been removed already.
            if list.get(index).is_some_and(|member| ptr::eq(Arc::as_ptr(&member.membership), membership)) {
                list.swap_remove(index);
                if let Some(moved) = list.get(index) {
                    moved.membership.list_index.store(index, Ordering::Relaxed);
                }
            }
            list.is_empty()
        };
        let removed_group = if is_empty { groups.remove_entry(group) } else { None };
        drop(groups);
        // Not under the lock, for the reason given in `insert`.
        drop_contained(removed_group);
    }
}

/// A membership with its group and table, as the session keeps it.
pub(crate) struct GroupMembership<G: Group> {
    pub(crate) group: Contained<G>,
    pub(crate) table: Arc<GroupTable<G>>,
    pub(crate) session: Arc<Session<G::Consumer>>,
    pub(crate) membership: Arc<Membership>,
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
        self.table.remove(&self.group, &self.membership);
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
        let JoinRequest { group, name, id, slot } = request;
        // Without a reserved slot the session was a member when the join was authorized, but may have left since.
        let Some(slot) = slot.or_else(|| session.memberships.reserve_slot(0).ok()) else { return false };
        // Both the table and the session keep the key.
        let key = Contained::new(G::clone(&group));
        session.memberships.add(&*key, id, slot, |id, slot| {
            let table = self.group_table::<G>();
            let membership = table.insert(&group, name, session, id, slot);
            Arc::new(GroupMembership { group, table, session: session.clone(), membership })
        })
    }

    /// Returns the table of groups of type `G`, and creates it if there is none.
    pub(crate) fn group_table<G: Group<Consumer = C>>(&self) -> Arc<GroupTable<G>> {
        let mut groups = lock(&self.groups);
        let table = groups.entry(TypeId::of::<G>()).or_insert_with(|| Arc::new(GroupTable::<G>::default()));
        // The entry under the id of `G` is always a `GroupTable<G>`.
        table.clone().downcast().unwrap_or_default()
    }
}
