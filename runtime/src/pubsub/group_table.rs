//! The members of all groups of one type.

mod announcing;
mod remote;

use std::any::TypeId;
use std::array::from_fn;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher, RandomState};
use std::ptr;
use std::sync::Arc;

use smallvec::SmallVec;

use super::chunked_list::ChunkedList;
use super::group::Group;
use super::group_hold::GroupHold;
use super::member::{Member, MemberScope};
use super::roster::{Roster, RosterUser};
use crate::broker::PartitionSet;
use crate::consumer::Consumer;
use crate::context::Epoch;
use crate::message::RequestId;
use crate::panic::Contained;
use crate::session::membership::{GroupSlot, Membership};
use crate::session::session::{Session, SessionRegistry};
use crate::sync::atomic::Ordering;
use crate::sync::{Mutex, lock};

/// The number of parts of a table that are locked independently.
const SHARD_COUNT: usize = 16;

/// All groups of one type that have members.
pub(crate) struct GroupTable<G: Group> {
    /// Hashes the keys. Clients may choose them, so the hash resists an attacker who knows it.
    hasher: RandomState,
    /// Each protects the groups of one part of the table, and is locked only to find, insert or remove a group. Lock order:
    /// after `Memberships::list`; no lock is taken under it.
    shards: [Mutex<GroupShard<G>>; SHARD_COUNT],
}

/// Groups by the hash of their keys, so that `Hash` of a key runs under no lock of the table.
type GroupShard<G> = HashMap<u64, SmallVec<[Arc<MemberList<G>>; 1]>, foldhash::fast::RandomState>;

impl<G: Group> Default for GroupTable<G> {
    fn default() -> Self {
        GroupTable { hasher: RandomState::new(), shards: from_fn(|_| Mutex::default()) }
    }
}

/// The members of one group. A delivery iterates over a snapshot of the list; a member that has left since receives
/// nothing, because its membership has ended.
pub(crate) struct MemberList<G: Group> {
    group: Contained<G>,
    hash: u64,
    /// The public name of the group in frames.
    pub(crate) name: Option<Arc<str>>,
    /// Protects the list, which is copied on write, the `list_index` of each membership, and the users. Lock order: after
    /// `Memberships::list`, before `SendQueue::state`.
    state: Mutex<MemberListState<G::Consumer>>,
    /// The key that announcements share. `None` if the group announces none.
    announced_group: Option<Arc<Contained<G>>>,
    /// Receives the events of other machines for as long as the group has members here.
    hold: Option<GroupHold<G::Consumer>>,
}

struct MemberListState<C: Consumer> {
    members: Arc<ChunkedList<Member<C>>>,
    /// The users of a group with presence. Boxed, because most groups have none.
    roster: Option<Box<Roster<C>>>,
    /// Whether the last member has left, so that the table drops the list. A member that joins from then on joins another
    /// list.
    is_removed: bool,
    /// Whether the users of other machines are shown.
    is_attached: bool,
}

impl<C: Consumer> MemberListState<C> {
    fn new<G: Group<Consumer = C>>() -> MemberListState<C> {
        let roster = G::PRESENCE.map(|_| Box::new(Roster::new(G::ANNOUNCES)));
        MemberListState { members: Arc::default(), roster, is_removed: false, is_attached: false }
    }
}

impl<G: Group> MemberList<G> {
    /// Returns a snapshot of the members.
    pub(crate) fn list(&self) -> Arc<ChunkedList<Member<G::Consumer>>> {
        lock(&self.state).members.clone()
    }

    /// Returns the users, in no particular order, or `None` if there are more than `max_users`.
    pub(super) fn users(&self, max_users: usize) -> Option<Vec<RosterUser<G::Consumer>>> {
        lock(&self.state).roster.as_ref().map_or_else(|| Some(Vec::new()), |roster| roster.users(max_users))
    }

    /// Adds the user of a member to the users, by the scope with which it has passed the group's permission in this epoch.
    pub(super) fn add_user(self: &Arc<Self>, membership: &Membership, scope: &MemberScope<G::Consumer>, epoch: Epoch) {
        let Some(session) = scope.session() else { return };
        let Some(user_id) = session.user_id().map(Arc::from) else { return };
        let mut state = lock(&self.state);
        let MemberListState { members, roster, .. } = &mut *state;
        // The membership may have ended meanwhile.
        let member = members.get(membership.list_index.load(Ordering::Relaxed));
        let is_member = member.is_some_and(|member| ptr::eq(Arc::as_ptr(&member.membership), membership));
        let roster = roster.as_mut().filter(|_| is_member);
        let removed =
            roster.map(|roster| self.record_connections(roster.add(membership, &user_id, scope.clone(), epoch)));
        drop(state);
        drop(removed);
        self.publish_users();
        self.announce(session, false);
    }
}

impl<G: Group> GroupTable<G> {
    /// Returns the members of a group, or `None` if it has none.
    pub(crate) fn members(&self, group: &G) -> Option<Arc<MemberList<G>>> {
        self.find(group, self.hasher.hash_one(group))
    }

    /// Returns the groups whose events are published to one of these partitions.
    pub(super) fn list_by_partition(&self, partitions: PartitionSet) -> Vec<G> {
        let is_in = |list: &&Arc<MemberList<G>>| {
            list.hold.as_ref().is_some_and(|hold| partitions.contains(hold.partition.partition()))
        };
        let lists =
            |shard: &Mutex<GroupShard<G>>| lock(shard).values().flatten().filter(is_in).cloned().collect::<Vec<_>>();
        // Cloned and dropped outside of the lock, because `Clone` of a key runs the application's code.
        self.shards.iter().flat_map(lists).map(|list| G::clone(&list.group)).collect()
    }

    /// Adds a session that is not a member yet, held by a join (`id` is `None`) or by the subscription of `id`.
    pub(super) fn insert(
        &self,
        group: &G,
        (name, hold): (Option<&Arc<str>>, Option<&GroupHold<G::Consumer>>),
        session: &Arc<Session<G::Consumer>>,
        id: Option<RequestId>,
        slot: GroupSlot,
    ) -> (Arc<MemberList<G>>, Arc<Membership>) {
        let hash = self.hasher.hash_one(group);
        loop {
            let list = self.find_or_insert(group, hash, name, hold);
            let mut state = lock(&list.state);
            if state.is_removed {
                drop(state);
                // The last member has left since the list was found, and its thread may not have removed the list yet.
                self.remove_list(&list);
                continue;
            }
            let group_id = Arc::as_ptr(&list).addr();
            let membership = Arc::new(Membership::new(list.name.clone(), group_id, id, slot));
            membership.list_index.store(state.members.len(), Ordering::Relaxed);
            let telemetry = &session.registry.telemetry;
            telemetry.memberships.increment();
            if state.members.is_empty() {
                telemetry.groups.increment();
            }
            let member = Member { session: session.clone(), membership: membership.clone() };
            Arc::make_mut(&mut state.members).push(member);
            drop(state);
            return (list, membership);
        }
    }

    /// Removes a membership, and the group if it was the last one.
    pub(super) fn remove(&self, list: &Arc<MemberList<G>>, membership: &Membership) {
        let mut state = lock(&list.state);
        // `list_index` changes only under this lock.
        let index = membership.list_index.load(Ordering::Relaxed);
        // The membership may have been removed already.
        if !state.members.get(index).is_some_and(|member| ptr::eq(Arc::as_ptr(&member.membership), membership)) {
            return;
        }
        let members = Arc::make_mut(&mut state.members);
        let removed_member = members.swap_remove(index);
        if let Some(moved) = members.get(index) {
            moved.membership.list_index.store(index, Ordering::Relaxed);
        }
        let is_empty = members.is_empty();
        state.is_removed = is_empty;
        let removed_user = state.roster.as_mut().map(|roster| list.record_connections(roster.remove(membership)));
        // No member is left that could receive an announcement.
        let removed_roster = if is_empty { state.roster.take() } else { None };
        drop(state);
        drop((removed_user, removed_roster));
        list.publish_users();
        if let Some(Member { session, .. }) = &removed_member {
            let telemetry = &session.registry.telemetry;
            telemetry.memberships.decrement();
            if is_empty {
                telemetry.groups.decrement();
            }
        }
        drop(removed_member);
        if is_empty {
            self.remove_list(list);
        }
    }

    fn shard(&self, hash: u64) -> &Mutex<GroupShard<G>> {
        &self.shards[usize::from(hash.to_le_bytes()[0]) % SHARD_COUNT]
    }

    fn find(&self, group: &G, hash: u64) -> Option<Arc<MemberList<G>>> {
        find_in(lock(self.shard(hash)).get(&hash)?, group)
    }

    fn find_or_insert(
        &self,
        group: &G,
        hash: u64,
        name: Option<&Arc<str>>,
        hold: Option<&GroupHold<G::Consumer>>,
    ) -> Arc<MemberList<G>> {
        if let Some(list) = self.find(group, hash) {
            return list;
        }
        // Outside of the lock, like the drop below: both may run the application's code.
        let group_key = Contained::new(group.clone());
        let announced_group = G::ANNOUNCES.then(|| Arc::new(Contained::new(group.clone())));
        let created = Arc::new(MemberList {
            group: group_key,
            hash,
            name: name.cloned(),
            state: Mutex::new(MemberListState::new::<G>()),
            announced_group,
            hold: hold.cloned(),
        });
        let mut shard = lock(self.shard(hash));
        let lists = shard.entry(hash).or_default();
        if let Some(list) = find_in(lists, group) {
            drop(shard);
            return list;
        }
        lists.push(created.clone());
        created
    }

    /// Removes a list that is marked as removed from the table, if it has not been removed yet.
    fn remove_list(&self, list: &Arc<MemberList<G>>) {
        let mut shard = lock(self.shard(list.hash));
        let Entry::Occupied(mut lists) = shard.entry(list.hash) else { return };
        let index = lists.get().iter().position(|other| Arc::ptr_eq(other, list));
        let removed_list = index.map(|index| lists.get_mut().swap_remove(index));
        if lists.get().is_empty() {
            lists.remove();
        }
        drop(shard);
        // Outside of the lock, for the reason given in `find_or_insert`.
        drop(removed_list);
    }
}

/// Finds a group among those whose keys have the same hash.
fn find_in<G: Group>(lists: &[Arc<MemberList<G>>], group: &G) -> Option<Arc<MemberList<G>>> {
    lists.iter().find(|list| *group == *list.group).cloned()
}

impl<C: Consumer> SessionRegistry<C> {
    /// Returns the table of groups of type `G`, and creates it if there is none.
    pub(crate) fn group_table<G: Group<Consumer = C>>(&self) -> Arc<GroupTable<G>> {
        if let Some(table) = lock(&self.groups).get(&TypeId::of::<G>()).cloned() {
            // The entry under the id of `G` is always a `GroupTable<G>`.
            return table.downcast().unwrap_or_default();
        }
        self.remote_groups().add::<G>();
        self.attachment()
    }
}

#[cfg(test)]
mod tests;
