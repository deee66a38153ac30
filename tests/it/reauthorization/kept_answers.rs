//! Permissions that are evaluated once per message: the first answer is used when the message is evaluated again.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use portcullis::testing::{Client, connect};
use portcullis::{
    AllowAny, Audit, Blocking, BlockingPermission, ConnectContext, Connections, Context, Endpoint, Event, FromContext,
    Group, Handler, Limits, Load, Object, ObjectPermission, Permission, PermissionContext, Result, consumer, handler,
};
use tokio::runtime::Handle;
use tokio::sync::Notify;

use crate::common::limits::without_heartbeat;
use crate::common::{HasRole, Member, member};

/// What tests and server share.
#[derive(Default)]
struct Office {
    /// How often each leaf was evaluated, by name.
    evaluated: Mutex<Vec<&'static str>>,
    quota: AtomicUsize,
    is_member: AtomicBool,
    is_ticket_closed: AtomicBool,
    ticket_loads: AtomicUsize,
    started: Notify,
    resume: Notify,
    /// While set, the extractor refreshes all connections once, so that the start is repeated.
    should_refresh: AtomicBool,
    connections: std::sync::OnceLock<Connections<Helpdesk>>,
}

impl Office {
    fn count(&self, leaf: &str) -> usize {
        self.evaluated.lock().unwrap().iter().filter(|name| **name == leaf).count()
    }

    fn record(&self, leaf: &'static str) {
        self.evaluated.lock().unwrap().push(leaf);
    }

    fn spend(&self, leaf: &'static str) -> bool {
        self.record(leaf);
        self.quota.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
    }

    async fn run(&self) {
        self.started.notify_one();
        self.resume.notified().await;
    }
}

trait HasOffice: Handler<User = Member> {
    fn office(&self) -> &Office;
}

struct Helpdesk(Arc<Office>, Counter);

struct Counter(Arc<Office>);

impl HasOffice for Helpdesk {
    fn office(&self) -> &Office {
        &self.0
    }
}

impl HasOffice for Counter {
    fn office(&self) -> &Office {
        &self.0
    }
}

/// Uses up one of the quota per evaluation.
struct Quota;

impl<H: HasOffice> Permission<H> for Quota {
    const REEVALUATE: bool = false;

    async fn has_permission(&self, handler: &H, _: &PermissionContext<'_, Member>) -> Result<bool> {
        Ok(handler.office().spend("quota"))
    }
}

/// The same, on a thread that it may block.
struct BlockingQuota;

impl BlockingPermission<Helpdesk> for BlockingQuota {
    const REEVALUATE: bool = false;

    fn check(
        &self,
        desk: &Helpdesk,
        _: &PermissionContext<'_, Member>,
    ) -> Result<impl FnOnce() -> Result<bool> + Send + 'static> {
        let office = desk.0.clone();
        Ok(move || Ok(office.spend("blocking quota")))
    }
}

/// A right that can be revoked.
struct IsMember;

impl<H: HasOffice> Permission<H> for IsMember {
    async fn has_permission(&self, handler: &H, _: &PermissionContext<'_, Member>) -> Result<bool> {
        handler.office().record("member");
        Ok(handler.office().is_member.load(Ordering::SeqCst))
    }
}

struct Ticket;

impl Load<Helpdesk> for Ticket {
    type Key = u32;
    const CAPTURES: &'static [&'static str] = &[];

    async fn load(desk: &Helpdesk, _: &Context<'_, Member>, _: &u32) -> Result<Option<Ticket>> {
        desk.0.ticket_loads.fetch_add(1, Ordering::SeqCst);
        Ok(Some(Ticket))
    }
}

/// Holds until the ticket is closed, which the action itself does.
struct Open;

impl ObjectPermission<Ticket, Helpdesk> for Open {
    const REEVALUATE: bool = false;

    async fn has_object_permission(
        &self,
        desk: &Helpdesk,
        _: &PermissionContext<'_, Member>,
        _: &Ticket,
    ) -> Result<bool> {
        desk.0.record("open");
        Ok(!desk.0.is_ticket_closed.load(Ordering::SeqCst))
    }
}

/// Holds while the caller is a member.
struct Assignee;

impl ObjectPermission<Ticket, Helpdesk> for Assignee {
    async fn has_object_permission(
        &self,
        desk: &Helpdesk,
        _: &PermissionContext<'_, Member>,
        _: &Ticket,
    ) -> Result<bool> {
        Ok(desk.0.is_member.load(Ordering::SeqCst))
    }
}

/// Refreshes all connections once, by a handle that is not the action's own.
struct Refresher;

impl FromContext<Helpdesk> for Refresher {
    async fn from_context(desk: &Helpdesk, _: &Context<'_, Member>) -> Result<Refresher> {
        if desk.0.should_refresh.swap(false, Ordering::SeqCst) {
            let connections = desk.0.connections.get().unwrap();
            assert!(connections.refresh_all().revalidated().await.is_acknowledged());
        }
        Ok(Refresher)
    }
}

#[derive(Event)]
struct Said(String);

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Helpdesk, permission = AllowAny, publish = AllowAny, events(Said))]
struct Lobby;

#[consumer(user = Member)]
impl Helpdesk {
    #[connect]
    async fn connect(&self, cx: &ConnectContext<'_, Member>) -> Result<()> {
        cx.join(Lobby).await
    }

    #[event(permission = AllowAny)]
    fn said<'e>(&self, event: &'e Said) -> &'e str {
        &event.0
    }

    #[action(permission = Quota)]
    async fn single(&self) {
        self.0.run().await;
    }

    #[action(permission = Quota, detached)]
    async fn single_detached(&self) {
        self.0.run().await;
    }

    #[action(permission = Quota, blocking)]
    fn single_blocking(&self) {
        Handle::current().block_on(self.0.run());
    }

    #[action(permission = Blocking(BlockingQuota))]
    async fn blocking_leaf(&self) {
        self.0.run().await;
    }

    #[action(permission = "IsMember & Quota")]
    async fn both(&self, cx: &Context<'_, Member>) -> Result<()> {
        self.0.run().await;
        cx.publish(Lobby, Said("both".to_owned())).await
    }

    /// The quota is skipped for members.
    #[action(permission = "IsMember | Quota")]
    async fn either(&self) {
        self.0.run().await;
    }

    #[action(permission = Quota)]
    async fn extracting(&self, #[extract] _refresher: Refresher) {}

    #[action(permission = "Open(ticket)")]
    async fn close(&self, ticket: Object<Ticket>) {
        let _ = ticket;
        self.0.is_ticket_closed.store(true, Ordering::SeqCst);
        self.0.run().await;
    }

    #[action(permission = "Open(ticket) & Assignee(ticket)")]
    async fn resolve(&self, ticket: Object<Ticket>) {
        let _ = ticket;
        self.0.is_ticket_closed.store(true, Ordering::SeqCst);
        self.0.run().await;
    }

    #[route("counter", permission = "Quota")]
    fn counter(&self) -> &Counter {
        &self.1
    }
}

#[handler(user = Member, permission = "IsMember & HasRole(\"clerk\")")]
impl Counter {
    #[action(permission = "Quota & !Quota2")]
    async fn serve(&self) {
        self.0.run().await;
    }
}

/// Another leaf that is evaluated once, and that must be false.
struct Quota2;

impl Permission<Counter> for Quota2 {
    const REEVALUATE: bool = false;

    async fn has_permission(&self, counter: &Counter, _: &PermissionContext<'_, Member>) -> Result<bool> {
        counter.0.record("quota2");
        Ok(counter.0.count("quota2") > 1)
    }
}

fn office(quota: usize) -> (Arc<Office>, Endpoint<Helpdesk>) {
    let office = Arc::new(Office::default());
    office.quota.store(quota, Ordering::SeqCst);
    office.is_member.store(true, Ordering::SeqCst);
    let limits = Limits { action_timeout: Duration::from_secs(5), ..without_heartbeat() };
    let desk = portcullis::websocket(Helpdesk(office.clone(), Counter(office.clone()))).limits(limits);
    office.connections.set(desk.connections()).ok().unwrap();
    (office, desk)
}

async fn open(desk: &Endpoint<Helpdesk>) -> Client {
    connect(desk).user(member(1, &["clerk"])).open().await.unwrap()
}

/// Calls an action and changes rights `changes` times while it runs.
async fn change_during(office: &Office, desk: &Endpoint<Helpdesk>, client: &mut Client, message: &str, changes: usize) {
    client.send(message);
    office.started.notified().await;
    for _ in 0..changes {
        assert!(desk.connections().refresh_all().revalidated().await.is_acknowledged());
    }
    office.resume.notify_one();
}

#[tokio::test]
async fn last_of_the_quota_is_not_spent_again_when_rights_change() {
    for action in ["single", "single_detached", "single_blocking", "both"] {
        let (office, desk) = office(1);
        let mut client = open(&desk).await;
        change_during(&office, &desk, &mut client, &format!(r#"{{"action":"{action}"}}"#), 2).await;
        assert_eq!((client.reply().await.status(), office.count("quota")), (200, 1), "{action}");
        if action == "both" {
            assert_eq!((client.event().await.data(), office.count("member")), (&"both".into(), 2), "evaluated again");
        }
        assert_eq!(client.call(action).await.status(), 403, "{action}: the next message is evaluated");
    }
}

#[tokio::test]
async fn answer_of_a_blocking_permission_is_kept() {
    let (office, desk) = office(1);
    let mut client = open(&desk).await;
    change_during(&office, &desk, &mut client, r#"{"action":"blocking_leaf"}"#, 1).await;
    assert_eq!((client.reply().await.status(), office.count("blocking quota")), (200, 1));
}

#[tokio::test(start_paused = true)]
async fn revoked_right_beside_a_kept_answer_refuses_and_publishes() {
    let (office, desk) = office(5);
    let (mut client, mut other) = (open(&desk).await, open(&desk).await);
    client.send(r#"{"action":"both"}"#);
    office.started.notified().await;
    office.is_member.store(false, Ordering::SeqCst);
    assert!(desk.connections().refresh_all().revalidated().await.is_acknowledged());
    office.resume.notify_one();
    let reply = client.reply().await;
    assert_eq!((reply.status(), reply.code(), reply.value()["data"].is_null()), (403, "rights_changed", true));
    assert_eq!(client.event().await.data(), "both");
    assert_eq!(other.event().await.data(), "both");
}

#[tokio::test(start_paused = true)]
async fn skipped_leaf_is_evaluated_when_the_other_no_longer_holds() {
    for (quota, status) in [(1, 200), (0, 403)] {
        let (office, desk) = office(quota);
        let mut client = open(&desk).await;
        client.send(r#"{"action":"either"}"#);
        office.started.notified().await;
        assert_eq!(office.count("quota"), 0, "skipped");
        office.is_member.store(false, Ordering::SeqCst);
        assert!(desk.connections().refresh_all().revalidated().await.is_acknowledged());
        office.resume.notify_one();
        assert_eq!((client.reply().await.status(), office.count("quota")), (status, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn repeated_start_uses_the_kept_answer() {
    let (office, desk) = office(1);
    let mut client = open(&desk).await;
    office.should_refresh.store(true, Ordering::SeqCst);
    assert_eq!(client.call("extracting").await.status(), 200, "its start was repeated");
    assert!(!office.should_refresh.load(Ordering::SeqCst));
    assert_eq!(office.count("quota"), 1);
}

#[tokio::test(start_paused = true)]
async fn state_that_the_action_changes_does_not_refuse_its_reply() {
    let (office, desk) = office(0);
    let mut client = open(&desk).await;
    change_during(&office, &desk, &mut client, r#"{"action":"close","ticket":1}"#, 1).await;
    assert_eq!((client.reply().await.status(), office.count("open")), (200, 1));
    assert_eq!(office.ticket_loads.load(Ordering::SeqCst), 1, "not loaded for a kept answer");
    assert_eq!(client.call("close").with("ticket", 1).await.status(), 403);
}

#[tokio::test(start_paused = true)]
async fn object_is_loaded_again_for_the_leaf_that_is_evaluated_again() {
    for (is_member, status) in [(true, 200), (false, 403)] {
        let (office, desk) = office(0);
        let mut client = open(&desk).await;
        client.send(r#"{"action":"resolve","ticket":1}"#);
        office.started.notified().await;
        office.is_member.store(is_member, Ordering::SeqCst);
        assert!(desk.connections().refresh_all().revalidated().await.is_acknowledged());
        office.resume.notify_one();
        assert_eq!((client.reply().await.status(), office.count("open")), (status, 1));
        assert_eq!(office.ticket_loads.load(Ordering::SeqCst), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn kept_answers_of_each_level_are_used() {
    let (office, desk) = office(2);
    let mut client = open(&desk).await;
    change_during(&office, &desk, &mut client, r#"{"action":"serve","route":"counter"}"#, 2).await;
    assert_eq!(client.reply().await.status(), 200);
    assert_eq!([office.count("quota"), office.count("quota2"), office.count("member")], [2, 1, 2]);
}

#[test]
fn audit_marks_leaves_that_are_evaluated_once() {
    let audit = Audit::of::<Helpdesk>();
    let permission = |action: &str| {
        let entry = audit.entries().iter().find(|entry| entry.action == action).unwrap();
        entry.permission.clone()
    };
    assert_eq!(permission("either"), "IsMember | Quota [evaluated once]");
    assert_eq!(permission("resolve"), "Open(ticket) [evaluated once] & Assignee(ticket)");
    assert_eq!(permission("blocking_leaf"), "Blocking(BlockingQuota) [evaluated once]");
    let serve =
        "Quota [evaluated once] & IsMember & HasRole(\"clerk\") & Quota [evaluated once] & !Quota2 [evaluated once]";
    assert_eq!(permission("serve"), serve);
}
