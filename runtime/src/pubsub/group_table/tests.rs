use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::consumer::{ActionFn, ConsumerBlock, Dispatch, HandlerDescriptor, PublishRule};
use crate::context::{ActionRates, Call, ConnectionId, Scope, User};
use crate::error::Result;
use crate::panic::catch_unwind;
use crate::permission::{Expr, Expression};
use crate::pubsub::join_request::JoinRequest;
use crate::session::overflow::OverflowPolicy;
use crate::session::send_queue::SendQueue;
use crate::session::session::SessionLimits;

struct Visitor;

impl User for Visitor {
    fn id(&self) -> Cow<'_, str> {
        Cow::Borrowed("7")
    }
}

type Registry = Arc<SessionRegistry<House>>;

struct House;

const UNUSED: &Expression = &Expression { tree: Expr::All(&[]), leaves: &[], has_codenames: false };

impl Dispatch for House {
    type BlockUser = Visitor;
    type Block = ConsumerBlock;

    const DESCRIPTOR: &'static HandlerDescriptor = &HandlerDescriptor::EMPTY;
    const ACTION_FNS: &'static [ActionFn<Self>] = &[];
}

impl Consumer for House {
    const NAME: &'static str = "House";
}

thread_local! {
    static PANICS: Cell<bool> = const { Cell::new(false) };
}

/// A group whose key has the hash of another one. Hashing and comparing panic while `PANICS` is set.
#[derive(Debug, Clone, Copy)]
struct Room(usize);

impl PartialEq for Room {
    fn eq(&self, other: &Room) -> bool {
        assert!(!PANICS.get(), "a key that fails");
        self.0 == other.0
    }
}

impl Eq for Room {}

impl Hash for Room {
    fn hash<H: Hasher>(&self, state: &mut H) {
        assert!(!PANICS.get(), "a key that fails");
        (self.0 / 2).hash(state);
    }
}

impl Group for Room {
    type Consumer = House;
    type Events = Self;

    const NAME: &'static str = "Room";
    const PATH: &'static str = "Room";
    const FINGERPRINT: u64 = 0;
    const PERMISSION: &'static Expression = UNUSED;
    const PUBLISH: PublishRule = PublishRule::Members;

    async fn authorize_join(&self, _: &House, _: &Call<'_, Visitor>) -> Result<()> {
        Ok(())
    }
}

/// A group whose users can be listed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Hall;

impl Group for Hall {
    type Consumer = House;
    type Events = Self;

    const NAME: &'static str = "Hall";
    const PATH: &'static str = "Hall";
    const FINGERPRINT: u64 = 0;
    const PERMISSION: &'static Expression = UNUSED;
    const PUBLISH: PublishRule = PublishRule::Members;
    const PRESENCE: Option<&'static Expression> = Some(UNUSED);
    const ANNOUNCES: bool = true;

    async fn authorize_join(&self, _: &House, _: &Call<'_, Visitor>) -> Result<()> {
        Ok(())
    }
}

const LIMITS: SessionLimits = SessionLimits {
    max_groups: 9,
    max_present_users: 9,
    max_event_bytes: 99,
    check_timeout: Duration::from_secs(9),
    max_age: None,
};

fn session(registry: &Registry) -> Arc<Session<House>> {
    let send_queue = SendQueue::new(9, 99, OverflowPolicy::Close, registry.telemetry.clone());
    Session::new(registry, ConnectionId::random().unwrap(), Arc::new(House), send_queue, LIMITS, None)
}

fn join(session: &Arc<Session<House>>, room: Room) -> bool {
    let request = JoinRequest { group: Contained::new(room), name: None, id: None, slot: None, hold: None, log: None };
    session.registry.add_member(session, request)
}

/// Returns a snapshot of the members, or `None` if the group is not in the table.
fn snapshot(registry: &Registry, room: Room) -> Option<Arc<ChunkedList<Member<House>>>> {
    registry.group_table().members(&room).map(|list| list.list())
}

fn ids(members: &ChunkedList<Member<House>>) -> HashSet<ConnectionId> {
    members.iter().map(|member| member.session.id).collect()
}

fn is_member(session: &Arc<Session<House>>, room: Room) -> bool {
    snapshot(&session.registry, room)
        .is_some_and(|members| members.iter().any(|member| Arc::ptr_eq(&member.session, session)))
}

/// Asserts that a group has these members, each at its `list_index`, and is in the table if it has any.
fn assert_members(registry: &Registry, room: Room, expected: &HashSet<ConnectionId>) {
    let Some(members) = snapshot(registry, room) else { return assert!(expected.is_empty(), "{room:?} is not found") };
    assert!(!members.is_empty(), "{room:?} was emptied but is in the table");
    assert_eq!(members.len(), expected.len());
    assert_eq!(ids(&members), *expected);
    for (index, member) in members.iter().enumerate() {
        assert_eq!(member.membership.list_index.load(Ordering::Relaxed), index);
    }
}

/// A change by the session with this index.
#[derive(Debug, Clone, Copy)]
enum Change {
    Join(usize, Room),
    Leave(usize, Room),
    Snapshot(Room),
}

const SESSION_COUNT: usize = 150;

fn change() -> impl Strategy<Value = Change> {
    let room = || (0..4_usize).prop_map(Room);
    prop_oneof![
        3 => (0..SESSION_COUNT, room()).prop_map(|(session, room)| Change::Join(session, room)),
        3 => (0..SESSION_COUNT, room()).prop_map(|(session, room)| Change::Leave(session, room)),
        1 => room().prop_map(Change::Snapshot),
    ]
}

proptest! {
    #[test]
    fn member_lists_equal_sets_after_every_change(start in 0..SESSION_COUNT, changes in vec(change(), 0..200)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let _inside = runtime.enter();
        let registry = Registry::new(SessionRegistry::new(Arc::default(), ActionRates::default()));
        let sessions: Vec<_> = (0..SESSION_COUNT).map(|_| session(&registry)).collect();
        let mut expected: [HashSet<ConnectionId>; 4] = Default::default();
        let mut snapshots = Vec::new();
        let first_joins = (0..start).map(|session| Change::Join(session, Room(0)));
        for change in first_joins.chain(changes) {
            match change {
                Change::Join(index, room) => {
                    assert_eq!(join(&sessions[index], room), expected[room.0].insert(sessions[index].id));
                    assert_members(&registry, room, &expected[room.0]);
                }
                Change::Leave(index, room) => {
                    sessions[index].memberships.remove(&room);
                    expected[room.0].remove(&sessions[index].id);
                    assert_members(&registry, room, &expected[room.0]);
                }
                Change::Snapshot(room) => {
                    snapshots.extend(snapshot(&registry, room).map(|members| (members, expected[room.0].clone())));
                }
            }
        }
        for (members, expected) in snapshots {
            assert_eq!(ids(&members), expected, "a snapshot has changed");
        }
        for session in &sessions {
            session.memberships.end_all();
        }
        (0..4).for_each(|room| assert_members(&registry, Room(room), &HashSet::new()));
    }
}

/// The groups are emptied and filled again all the time, so a join often finds a list that is being removed.
#[test]
fn member_is_in_the_list_from_its_join_to_its_leave_with_other_threads() {
    const ROUNDS: usize = 5_000;
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let _inside = runtime.enter();
    let registry = Registry::new(SessionRegistry::new(Arc::default(), ActionRates::default()));
    let sessions: Vec<_> = (0..4).map(|_| session(&registry)).collect();
    let is_done = AtomicBool::new(false);
    let (joined, taken) = thread::scope(|scope| {
        // Holds a snapshot nearly all the time, so that changes copy.
        let reader = scope.spawn(|| {
            let mut taken = 0;
            while !is_done.load(Ordering::Relaxed) {
                let members = snapshot(&registry, Room(taken % 2));
                assert!(members.is_none_or(|members| members.len() == ids(&members).len()), "a member is listed twice");
                taken += 1;
            }
            taken
        });
        let members = sessions.iter().map(|session| {
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    let room = Room(round % 2);
                    assert!(join(session, room));
                    assert!(is_member(session, room), "join lost");
                    session.memberships.remove(&room);
                    assert!(!is_member(session, room), "leave lost");
                }
                ROUNDS
            })
        });
        // All are started before the first is awaited.
        let members: Vec<_> = members.collect();
        let joined: usize = members.into_iter().map(|member| member.join().unwrap()).sum();
        is_done.store(true, Ordering::Relaxed);
        (joined, reader.join().unwrap())
    });
    assert_eq!(joined, 4 * ROUNDS);
    assert!(taken > 0);
    (0..2).for_each(|room| assert_members(&registry, Room(room), &HashSet::new()));
}

#[tokio::test]
async fn member_leaves_a_group_whose_key_panics() {
    let registry = Registry::new(SessionRegistry::new(Arc::default(), ActionRates::default()));
    let (first, second) = (session(&registry), session(&registry));
    assert!(join(&first, Room(1)));
    assert!(join(&second, Room(1)));
    PANICS.set(true);
    first.memberships.end_all();
    PANICS.set(false);
    assert_members(&registry, Room(1), &HashSet::from([second.id]));
    PANICS.set(true);
    second.memberships.end_all();
    PANICS.set(false);
    assert_members(&registry, Room(1), &HashSet::new());
}

#[tokio::test]
async fn join_whose_key_panics_changes_nothing() {
    let registry = Registry::new(SessionRegistry::new(Arc::default(), ActionRates::default()));
    let (first, second) = (session(&registry), session(&registry));
    assert!(join(&first, Room(1)));
    PANICS.set(true);
    assert!(catch_unwind(|| join(&second, Room(1))).is_err());
    PANICS.set(false);
    assert_members(&registry, Room(1), &HashSet::from([first.id]));
    assert!(join(&second, Room(1)));
    assert_members(&registry, Room(1), &HashSet::from([first.id, second.id]));
}

/// Joins the hall by a membership that the session does not keep.
fn enter(session: &Arc<Session<House>>) -> (Arc<MemberList<Hall>>, Arc<Membership>) {
    let slot = session.memberships.reserve_slot(0).unwrap();
    let (list, membership) = session.registry.group_table().insert(&Hall, (None, None), session, None, slot);
    add_user(&list, session, &membership);
    (list, membership)
}

/// Shows the user of a membership by the current scope of its session.
fn add_user(list: &Arc<MemberList<Hall>>, session: &Arc<Session<House>>, membership: &Membership) {
    let scope = session.scope().and_then(|scope| MemberScope::new(session, scope));
    if let Some(scope) = scope {
        list.add_user(membership, &scope, session.send_queue.epoch());
    }
}

/// Returns a session that has a user.
fn visitor(registry: &Registry) -> Arc<Session<House>> {
    let (parts, ()) = http::Request::new(()).into_parts();
    let session = session(registry);
    session.establish(Scope::new(Some(Visitor), parts));
    session
}

/// Returns the connection by which the only user is shown, with the number of its connections.
fn user(list: &MemberList<Hall>) -> Option<(ConnectionId, usize)> {
    let users = list.users(9).unwrap();
    assert!(users.len() <= 1);
    users.first().map(|user| {
        assert_eq!(&*user.id, "7");
        (user.scope.session().unwrap().id, user.connections)
    })
}

#[tokio::test]
async fn user_is_listed_while_one_of_its_memberships_is_there() {
    let registry = Registry::new(SessionRegistry::new(Arc::default(), ActionRates::default()));
    let [first, second] = [(); 2].map(|()| visitor(&registry));
    let table = registry.group_table::<Hall>();
    let (list, former) = enter(&first);
    // The connection joins again before its former membership is removed.
    let (_, newer) = enter(&first);
    assert_eq!(user(&list), Some((first.id, 2)));
    table.remove(&list, &former);
    table.remove(&list, &former);
    assert_eq!(user(&list), Some((first.id, 1)));
    add_user(&list, &first, &former);
    assert_eq!(user(&list), Some((first.id, 1)), "a membership that has ended is added");
    let (_, other) = enter(&second);
    add_user(&list, &first, &newer);
    assert_eq!(user(&list), Some((first.id, 2)), "a membership that is there is added again");
    table.remove(&list, &other);
    assert_eq!(user(&list), Some((first.id, 1)));
    table.remove(&list, &newer);
    assert_eq!(user(&list), None);
}

#[tokio::test]
async fn user_is_shown_by_the_scope_that_has_passed_the_permission_last() {
    let registry = Registry::new(SessionRegistry::new(Arc::default(), ActionRates::default()));
    let session = visitor(&registry);
    let (list, membership) = enter(&session);
    let has_initial_scope = || list.users(9).unwrap()[0].scope.address() == Arc::as_ptr(&session).addr();
    // The user is replaced after the permission has held, and before it is added.
    let scope = MemberScope::new(&session, session.scope().unwrap()).unwrap();
    let epoch = session.send_queue.epoch();
    let renewed = session.renewed_scope(Visitor).unwrap();
    drop(session.begin_revalidation(|| session.replace_scope(renewed)));
    list.add_user(&membership, &scope, epoch);
    assert!(has_initial_scope(), "the new user has not passed the permission yet");
    add_user(&list, &session, &membership);
    assert!(!has_initial_scope());
    list.add_user(&membership, &scope, epoch);
    assert!(!has_initial_scope(), "an earlier epoch replaces a later one");
}

/// The task that announces the changes does not run meanwhile.
#[tokio::test]
async fn user_that_connects_again_and_again_retains_few_sessions() {
    let registry = Registry::new(SessionRegistry::new(Arc::default(), ActionRates::default()));
    let table = registry.group_table::<Hall>();
    // An anonymous member, which keeps the group.
    let _group = enter(&session(&registry));
    let mut sessions = Vec::new();
    for _ in 0..1000 {
        let session = visitor(&registry);
        let (list, membership) = enter(&session);
        table.remove(&list, &membership);
        session.leave_registry();
        sessions.push(Arc::downgrade(&session));
    }
    let retained = sessions.iter().filter(|session| session.strong_count() > 0).count();
    assert!(retained <= 4, "{retained} of 1000 sessions that have ended are retained");
}

#[tokio::test]
async fn session_that_has_left_is_dropped_while_its_user_is_a_member() {
    let registry = Registry::new(SessionRegistry::new(Arc::default(), ActionRates::default()));
    let (first, second) = (visitor(&registry), visitor(&registry));
    let ((list, former), (_, _newer)) = (enter(&first), enter(&second));
    registry.group_table::<Hall>().remove(&list, &former);
    list.announce(&second, false);
    first.leave_registry();
    let weak = Arc::downgrade(&first);
    drop(first);
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(user(&list), Some((second.id, 1)));
    assert_eq!(weak.strong_count(), 0);
}
