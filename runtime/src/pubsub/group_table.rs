//! Who is in which group of one type.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::ptr;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::group::Group;
use crate::consumer::Consumer;
use crate::context::{Call, ConnectContext, Handler, Scope};
use crate::error::Result;
use crate::message::RequestId;
use crate::panic::{Contained, drop_contained};
use crate::session::membership::Membership;
use crate::session::memberships::{GroupSlot, MembershipEntry};
use crate::session::registry::SessionRegistry;
use crate::session::session::Session;
use crate::sync::atomic::Ordering;
use crate::sync::{Mutex, lock};

/// All groups of one type.
pub(crate) struct GroupTable<G: Group> {
    groups: Mutex<HashMap<G, Arc<MemberList<G::Consumer>>>>,
}

impl<G: Group> Default for GroupTable<G> {
    fn default() -> Self {
        GroupTable { groups: Mutex::default() }
    }
}

/// The members of one group. Whoever delivers goes on with the list as it was; who has left meanwhile gets nothing all
/// the same, because the membership itself has ended.
pub(crate) struct MemberList<C: Consumer> {
    /// What frames call it.
    pub(crate) name: Option<Arc<str>>,
    list: Mutex<SharedMembers<C>>,
}

type SharedMembers<C> = Arc<Vec<Member<C>>>;

/// A member, with the seat at hand: who may not see an event is passed by without a look at the membership.
pub(crate) struct Member<C: Consumer> {
    pub(crate) session: Arc<Session<C>>,
    pub(crate) membership: Arc<Membership<C>>,
}

impl<C: Consumer> Clone for Member<C> {
    fn clone(&self) -> Self {
        Member { session: self.session.clone(), membership: self.membership.clone() }
    }
}

impl<C: Consumer> MemberList<C> {
    pub(crate) fn list(&self) -> SharedMembers<C> {
        lock(&self.list).clone()
    }
}

impl<G: Group> GroupTable<G> {
    pub(crate) fn members(&self, group: &G) -> Option<Arc<MemberList<G::Consumer>>> {
        lock(&self.groups).get(group).cloned()
    }

    /// One more member, of whom it is not one yet: as joined, or by a subscription.
    pub(crate) fn insert(
        &self,
        group: &G,
        name: Option<Arc<str>>,
        session: &Arc<Session<G::Consumer>>,
        id: Option<RequestId>,
        slot: GroupSlot<G::Consumer>,
    ) -> Arc<Membership<G::Consumer>> {
        let key = group.clone();
        let mut groups = lock(&self.groups);
        let (members, unused_key) = if let Some(members) = groups.get(group) {
            (members.clone(), Some(key))
        } else {
            let members = Arc::new(MemberList { name, list: Mutex::default() });
            groups.insert(key, members.clone());
            (members, None)
        };
        let membership = Arc::new(Membership::new(session.clone(), members.name.clone(), id, slot));
        let mut list = lock(&members.list);
        let list = Arc::make_mut(&mut list);
        membership.list_index.store(list.len(), Ordering::Relaxed);
        list.push(Member { session: session.clone(), membership: membership.clone() });
        drop(groups);
        // Not under the lock of all groups: a key may run its own code when it is dropped.
        drop_contained(unused_key);
        membership
    }

    fn remove(&self, group: &G, membership: &Membership<G::Consumer>) {
        let mut groups = lock(&self.groups);
        let Some(members) = groups.get(group) else { return };
        let is_empty = {
            let mut list = lock(&members.list);
            let list = Arc::make_mut(&mut *list);
            // Places change under this lock only.
            let index = membership.list_index.load(Ordering::Relaxed);
            // It may have been dismissed before.
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
        // Not under the lock, for the same reason.
        drop_contained(removed_group);
    }
}

/// What a connection keeps of a membership.
pub(crate) struct GroupMembership<G: Group> {
    pub(crate) group: Contained<G>,
    pub(crate) table: Arc<GroupTable<G>>,
    pub(crate) membership: Arc<Membership<G::Consumer>>,
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

    fn hold(&self, id: Option<RequestId>, slot: GroupSlot<G::Consumer>) {
        self.membership.hold(id, slot);
    }

    fn release(&self, id: Option<&RequestId>) -> bool {
        self.membership.release(id)
    }

    fn authorize_member<'a>(
        &'a self,
        consumer: &'a G::Consumer,
        scope: &'a Scope<<G::Consumer as Handler>::User>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let head = ConnectContext::<<G::Consumer as Handler>::User>::head();
            self.group.may_join(consumer, &Call::new(scope, &head, &[], &[], &[])).await
        })
    }

    fn leave(&self) {
        // First of all nothing more may come by it.
        self.membership.end();
        self.table.remove(&self.group, &self.membership);
    }
}

impl<C: Consumer> SessionRegistry<C> {
    /// Lets a connection into a group. It must have been asked before whether it may. By a subscription, where there is an id.
    /// Gives back whether it was not in it before.
    pub(crate) fn add_member<G: Group<Consumer = C>>(
        &self,
        session: &Arc<Session<C>>,
        request: JoinRequest<G>,
    ) -> bool {
        let JoinRequest { group, name, id, slot } = request;
        // It may have been left since it was asked for.
        let Some(slot) = slot.or_else(|| session.reserve_slot(0).ok()) else { return false };
        // The key is kept by both.
        let key = Contained::new(G::clone(&group));
        session.add_membership(&*key, id, slot, |id, slot| {
            let table = self.group_table::<G>();
            let membership = table.insert(&group, name, session, id, slot);
            Arc::new(GroupMembership { group, table, membership })
        })
    }

    pub(crate) fn group_table<G: Group<Consumer = C>>(&self) -> Arc<GroupTable<G>> {
        let mut groups = lock(&self.groups);
        let table = groups.entry(TypeId::of::<G>()).or_insert_with(|| Arc::new(GroupTable::<G>::default()));
        // It was made under this type's own id.
        table.clone().downcast().unwrap_or_default()
    }
}

/// A connection that is to be let into a group.
pub(crate) struct JoinRequest<G: Group> {
    pub(crate) group: Contained<G>,
    /// What frames call the group.
    pub(crate) name: Option<Arc<str>>,
    /// What it is subscribed under; joined, where it is not.
    pub(crate) id: Option<RequestId>,
    /// Room for it, where it needs some.
    pub(crate) slot: Option<GroupSlot<G::Consumer>>,
}
