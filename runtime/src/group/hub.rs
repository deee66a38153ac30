//! All groups of one endpoint on this machine: who is in which, and the way of an event to each member.

use std::any::{Any, TypeId};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::BoxFuture;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::delivery::Published;
use super::event::Emits;
use super::join::{Carries, Group};
use super::seat::{Belonging, Place, Seat};
use crate::consumer::Consumer;
use crate::error::Result;
use crate::grants::{GrantCache, ObjectKey};
use crate::scope::{Call, Connect, Handler, Scope};

/// The groups of one endpoint.
pub(crate) struct Hub<C: Consumer> {
    /// By the group's type, an `Arc<Kind<G>>`.
    kinds: Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
    /// Everybody who is connected, by the user's id.
    users: Mutex<HashMap<String, Vec<Arc<Seat<C>>>>>,
    /// Everybody who is connected, strangers too.
    seats: Mutex<HashMap<u64, Arc<Seat<C>>>>,
    ids: AtomicU64,
    /// How often what somebody may do has changed.
    changes: AtomicU64,
    /// Who was disconnected, and by which change.
    disconnected: Mutex<HashMap<String, u64>>,
    /// Held while a connection is asked about again.
    turns: Semaphore,
    /// Where the grants come from; clones of an endpoint may have several.
    grants: Mutex<Vec<GrantCache<C::User>>>,
}

/// How many connections are asked about at once, so that a change for all does not storm the application's database.
const AT_ONCE: usize = 32;

/// How many who were disconnected are remembered.
const REMEMBERED: usize = 4096;

/// All groups of one type.
struct Kind<G: Group> {
    groups: Mutex<HashMap<G, Arc<Members<G::Consumer>>>>,
}

/// The members of one group. Whoever delivers goes on with the list as it was; who has left meanwhile gets nothing all
/// the same, because the membership itself has ended.
struct Members<C: Consumer> {
    list: Mutex<Arc<Vec<Arc<Membership<C>>>>>,
}

/// One connection's membership in one group.
pub(super) struct Membership<C: Consumer> {
    seat: Arc<Seat<C>>,
    left: AtomicBool,
}

impl<C: Consumer> Membership<C> {
    pub(super) fn left(&self) -> &AtomicBool {
        &self.left
    }
}

impl<C: Consumer> Hub<C> {
    pub(crate) fn new() -> Hub<C> {
        Hub {
            kinds: Mutex::default(),
            users: Mutex::default(),
            seats: Mutex::default(),
            ids: AtomicU64::new(0),
            changes: AtomicU64::new(0),
            disconnected: Mutex::default(),
            turns: Semaphore::new(AT_ONCE),
            grants: Mutex::default(),
        }
    }

    pub(super) fn next_id(&self) -> u64 {
        self.ids.fetch_add(1, Ordering::Relaxed)
    }

    /// Rises before connections are told of a change. Who connects while it does is not sure to be told, and asks again.
    pub(crate) fn changes(&self) -> u64 {
        self.changes.load(Ordering::SeqCst)
    }

    pub(super) fn change(&self) -> u64 {
        self.changes.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// Grants come from here too.
    pub(crate) fn grant_from(&self, cache: GrantCache<C::User>) {
        lock(&self.grants).push(cache);
    }

    /// What this object overwrites has changed.
    pub(super) fn forget_object(&self, object: &ObjectKey) {
        lock(&self.grants).iter().for_each(|grants| grants.forget_object(object));
    }

    /// What everybody was granted has changed.
    pub(super) fn forget_all(&self) {
        lock(&self.grants).iter().for_each(GrantCache::forget_all);
    }

    /// Waits for a turn to ask about a connection.
    pub(super) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        // It is never closed.
        self.turns.acquire().await.ok()
    }

    /// Whoever of that name is being let in at this moment is not to stay.
    pub(super) fn disconnect(&self, user_id: &str) {
        let mut disconnected = lock(&self.disconnected);
        if disconnected.len() >= REMEMBERED {
            // What is old concerns nobody who is still at the door; half of them surely are.
            let mut changes: Vec<u64> = disconnected.values().copied().collect();
            changes.sort_unstable();
            let old = changes[changes.len() / 2];
            disconnected.retain(|_, change| *change > old);
        }
        disconnected.insert(user_id.to_owned(), self.change());
    }

    /// Whether who sits here was disconnected after the door began to ask.
    pub(super) fn is_disconnected(&self, seat: &Seat<C>, asked_at: u64) -> bool {
        let Some(user) = seat.user_id() else { return false };
        lock(&self.disconnected).get(user).is_some_and(|change| *change > asked_at)
    }

    pub(super) fn seats(&self) -> Vec<Arc<Seat<C>>> {
        lock(&self.seats).values().cloned().collect()
    }

    pub(super) fn seats_of(&self, user_id: &str) -> Vec<Arc<Seat<C>>> {
        lock(&self.users).get(user_id).cloned().unwrap_or_default()
    }

    pub(super) fn arrived(&self, seat: &Arc<Seat<C>>) {
        lock(&self.seats).insert(seat.id, seat.clone());
        if let Some(user) = seat.user_id() {
            lock(&self.users).entry(user.to_owned()).or_default().push(seat.clone());
        }
    }

    pub(super) fn departed(&self, seat: &Arc<Seat<C>>) {
        lock(&self.seats).remove(&seat.id);
        let Some(user) = seat.user_id() else { return };
        let mut users = lock(&self.users);
        if let Some(seats) = users.get_mut(user) {
            seats.retain(|other| !Arc::ptr_eq(other, seat));
            if seats.is_empty() {
                users.remove(user);
            }
        }
    }

    /// Lets a connection into a group. It must have been asked before whether it may.
    pub(super) fn enter<G: Group<Consumer = C>>(&self, seat: &Arc<Seat<C>>, group: G, place: Option<Place<C>>) {
        // The key is kept by both.
        let key = group.clone();
        seat.belong(&key, || {
            // It may have been left since it was asked for.
            let place = place.or_else(|| seat.reserve().ok())?;
            let membership = Arc::new(Membership { seat: seat.clone(), left: AtomicBool::new(false) });
            let kind = self.kind::<G>();
            let mut groups = lock(&kind.groups);
            let members = groups.entry(group.clone()).or_insert_with(|| Arc::new(Members { list: Mutex::default() }));
            Arc::make_mut(&mut *lock(&members.list)).push(membership.clone());
            drop(groups);
            Some(Arc::new(Belongs { group, kind, membership, _place: place }))
        });
    }

    /// Takes a connection out of a group.
    pub(super) fn leave<G: Group<Consumer = C>>(&self, seat: &Arc<Seat<C>>, group: &G) {
        seat.part(group);
    }

    /// Gives an event to every member of these groups who may see it; to a member of several once.
    pub(super) fn publish<G, E>(&self, groups: &[G], event: E, except: Option<u64>)
    where
        G: Group<Consumer = C> + Carries<E>,
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        let kind = self.kind::<G>();
        let published = Published::new(event);
        let mut seen = (groups.len() > 1).then(HashSet::new);
        for group in groups {
            let members = lock(&kind.groups).get(group).cloned();
            let Some(members) = members else { continue };
            let list = lock(&members.list).clone();
            for membership in &*list {
                let seat = &membership.seat;
                if except != Some(seat.id) && seen.as_mut().is_none_or(|seen| seen.insert(seat.id)) {
                    seat.offer(&published, Some(membership));
                }
            }
        }
    }

    /// Gives an event to one user on all sockets, where that user may see it.
    pub(super) fn publish_to_user<E>(&self, user_id: &str, event: E)
    where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        let seats = self.seats_of(user_id);
        let published = Published::new(event);
        for seat in &seats {
            seat.offer(&published, None);
        }
    }

    fn kind<G: Group<Consumer = C>>(&self) -> Arc<Kind<G>> {
        let mut kinds = lock(&self.kinds);
        let kind = kinds.entry(TypeId::of::<G>()).or_insert_with(|| Arc::new(Kind::<G> { groups: Mutex::default() }));
        // It was made under this type's own id.
        kind.clone().downcast().unwrap_or_else(|_| Arc::new(Kind { groups: Mutex::default() }))
    }
}

/// What a connection keeps of a membership.
struct Belongs<G: Group> {
    group: G,
    kind: Arc<Kind<G>>,
    membership: Arc<Membership<G::Consumer>>,
    _place: Place<G::Consumer>,
}

impl<G: Group> Belonging<G::Consumer> for Belongs<G> {
    fn is(&self, group: &dyn Any) -> bool {
        group.downcast_ref::<G>() == Some(&self.group)
    }

    fn may_stay<'a>(
        &'a self,
        consumer: &'a G::Consumer,
        scope: &'a Scope<<G::Consumer as Handler>::User>,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let head = Connect::<<G::Consumer as Handler>::User>::head();
            self.group.may_join(consumer, &Call::new(scope, &head, &[], &[], &[])).await
        })
    }

    fn leave(&self) {
        // First of all nothing more may come by it.
        self.membership.seat.mailbox.leave(&self.membership.left);
        let mut groups = lock(&self.kind.groups);
        let Some(members) = groups.get(&self.group) else { return };
        let empty = {
            let mut list = lock(&members.list);
            let list = Arc::make_mut(&mut *list);
            list.retain(|membership| !Arc::ptr_eq(membership, &self.membership));
            list.is_empty()
        };
        if empty {
            groups.remove(&self.group);
        }
    }
}

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
