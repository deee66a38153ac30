//! No action body begins after a call that revokes its caller's rights has returned: queued, detached, blocking, and with
//! objects that take a while to load.

#[path = "../common/mod.rs"]
mod common;

mod race;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use portcullis::testing::{Client, connect};
use portcullis::{
    ConnectContext, Context, Disconnect, Endpoint, FromContext, GrantSet, GrantSource, Handler, IsAuthenticated,
    Limits, Load, Object, ObjectPermission, PermissionContext, Result, UserGrants, consumer, handler,
};
use tokio::sync::Notify;

use crate::common::{Member, member};

portcullis::permissions! {
    docs { edit = "Edits documents" }
}

/// What a test knows of one user, who has one document.
#[derive(Default)]
struct Account {
    may_edit: AtomicBool,
    loads: AtomicUsize,
    bodies: AtomicUsize,
    /// Set to let loads and extractors wait for `go_on`.
    is_held: AtomicBool,
    waits: Notify,
    go_on: Notify,
    left: Notify,
    /// Set to let `#[connect]` wait for `go_on`, after it has loaded the grants.
    holds_connect: AtomicBool,
    /// Milliseconds that each load and extractor takes otherwise.
    delay: AtomicU64,
    /// Who owns the document.
    owner: AtomicU32,
}

impl Account {
    async fn wait(&self) {
        self.loads.fetch_add(1, Ordering::SeqCst);
        if self.is_held.load(Ordering::SeqCst) {
            self.waits.notify_one();
            self.go_on.notified().await;
        }
        let delay = self.delay.load(Ordering::SeqCst);
        if delay > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(delay)).await;
        }
    }
}

#[derive(Default)]
struct Accounts(Mutex<HashMap<u32, Arc<Account>>>);

impl Accounts {
    fn get(&self, id: u32) -> Arc<Account> {
        self.0.lock().unwrap().entry(id).or_default().clone()
    }
}

struct Table(Arc<Accounts>);

impl GrantSource<Member> for Table {
    async fn load(&self, user: &Member) -> Result<UserGrants> {
        let may_edit = self.0.get(user.id).may_edit.load(Ordering::SeqCst);
        Ok(if may_edit { GrantSet::from(docs::edit).into() } else { UserGrants::default() })
    }
}

struct Library {
    docs: Docs,
}

struct Docs(Arc<Accounts>);

struct Doc(u32);

impl Load<Docs> for Doc {
    type Key = u32;
    const CAPTURES: &'static [&'static str] = &[];

    async fn load(docs: &Docs, _: &Context<'_, Member>, key: &u32) -> Result<Option<Self>> {
        let account = docs.0.get(*key);
        let owner = account.owner.load(Ordering::SeqCst);
        account.wait().await;
        Ok(Some(Doc(owner)))
    }
}

struct Owner;

impl ObjectPermission<Doc, Docs> for Owner {
    async fn has_object_permission(&self, _: &Docs, cx: &PermissionContext<'_, Member>, doc: &Doc) -> Result<bool> {
        Ok(cx.user().is_some_and(|member| member.id == doc.0))
    }
}

/// An extractor that takes as long as a load.
struct Slow(Arc<Account>);

impl FromContext<Docs> for Slow {
    async fn from_context(docs: &Docs, cx: &Context<'_, <Docs as Handler>::User>) -> Result<Self> {
        let account = docs.0.get(cx.require_user()?.id);
        account.wait().await;
        Ok(Slow(account))
    }
}

struct Provisioned;

impl FromContext<Docs> for Provisioned {
    async fn from_context(docs: &Docs, cx: &Context<'_, <Docs as Handler>::User>) -> Result<Self> {
        let id = cx.require_user()?.id;
        docs.0.get(id).loads.fetch_add(1, Ordering::SeqCst);
        assert!(cx.connections::<Library>()?.refresh_user(&id.to_string()).await.is_acknowledged());
        Ok(Provisioned)
    }
}

#[consumer(user = Member, permission = IsAuthenticated)]
impl Library {
    #[route("docs/{number}/")]
    fn docs(&self) -> &Docs {
        &self.docs
    }

    #[action]
    async fn ping(&self) {}

    #[connect]
    async fn connect(&self, cx: &ConnectContext<'_, Member>) -> Result<()> {
        let Some(member) = cx.user() else { return Ok(()) };
        let account = self.docs.0.get(member.id);
        if account.holds_connect.load(Ordering::SeqCst) {
            cx.may(docs::edit).await?;
            account.waits.notify_one();
            account.go_on.notified().await;
        }
        Ok(())
    }

    #[disconnect]
    async fn disconnect(&self, cx: &Disconnect<'_, Member>) {
        if let Some(member) = cx.user() {
            self.docs.0.get(member.id).left.notify_one();
        }
    }
}

#[handler(user = Member, permission = inherited)]
impl Docs {
    #[action(permission = "docs.edit & Owner(doc)")]
    async fn object(&self, doc: Object<Doc>) -> u32 {
        self.0.get(doc.0).bodies.fetch_add(1, Ordering::SeqCst);
        doc.0
    }

    #[action(permission = "docs.edit")]
    async fn queued(&self, #[extract] slow: Slow) {
        slow.0.bodies.fetch_add(1, Ordering::SeqCst);
    }

    /// Its extractor refreshes the rights of its own caller.
    #[action(permission = "docs.edit")]
    async fn provision(&self, #[extract] _provisioned: Provisioned) {}

    #[action(permission = "docs.edit", detached)]
    async fn detached(&self, #[extract] slow: Slow) {
        slow.0.bodies.fetch_add(1, Ordering::SeqCst);
    }

    #[action(permission = "docs.edit", blocking)]
    fn blocking(&self, #[extract] slow: Slow) {
        let Slow(account) = slow;
        account.bodies.fetch_add(1, Ordering::SeqCst);
    }
}

const KINDS: [&str; 4] = ["object", "queued", "detached", "blocking"];

struct Fixture {
    accounts: Arc<Accounts>,
    library: Endpoint<Library>,
}

fn fixture() -> Fixture {
    let accounts = Arc::<Accounts>::default();
    let library = portcullis::websocket(Library { docs: Docs(accounts.clone()) })
        .limits(Limits { max_detached_actions: 4, ..Limits::default() })
        .grants(Table(accounts.clone()));
    Fixture { accounts, library }
}

impl Fixture {
    async fn open(&self, id: u32) -> (Client, Arc<Account>) {
        let account = self.accounts.get(id);
        account.may_edit.store(true, Ordering::SeqCst);
        account.owner.store(id, Ordering::SeqCst);
        (connect(&self.library).user(member(id, &[])).open().await.unwrap(), account)
    }

    /// Sends a message whose action is held between its permission and its body.
    async fn send_and_hold(&self, kind: &str) -> (Client, Arc<Account>) {
        let (mut client, account) = self.open(1).await;
        account.is_held.store(true, Ordering::SeqCst);
        client.send(message(kind, 1));
        account.waits.notified().await;
        (client, account)
    }
}

fn message(kind: &str, id: u32) -> String {
    format!(r#"{{"action":"{kind}","route":"docs/{id}/","doc":{id},"request_id":"{kind}"}}"#)
}

fn release(account: &Account) {
    account.is_held.store(false, Ordering::SeqCst);
    account.go_on.notify_one();
}

#[tokio::test]
async fn action_does_not_start_after_a_refresh_that_revokes_its_rights() {
    for kind in KINDS {
        let fixture = fixture();
        let (mut client, account) = fixture.send_and_hold(kind).await;
        account.may_edit.store(false, Ordering::SeqCst);
        assert!(fixture.library.connections().refresh_user("1").await.is_acknowledged());
        release(&account);
        let reply = client.reply().await;
        assert_eq!((reply.status(), reply.code()), (403, "permission_denied"), "{kind}");
        assert_eq!(account.bodies.load(Ordering::SeqCst), 0, "{kind}");
        assert_eq!(client.call("ping").await.status(), 200, "{kind}");
    }
}

#[tokio::test]
async fn action_starts_once_if_a_refresh_leaves_its_rights() {
    for kind in KINDS {
        let fixture = fixture();
        let (mut client, account) = fixture.send_and_hold(kind).await;
        for _ in 0..3 {
            assert!(fixture.library.connections().refresh_all().await.is_acknowledged());
        }
        release(&account);
        assert!(client.reply().await.value()["errors"].as_array().unwrap().is_empty(), "{kind}");
        assert_eq!(account.bodies.load(Ordering::SeqCst), 1, "{kind}");
        assert_eq!(account.loads.load(Ordering::SeqCst), 2, "{kind}: objects and extractors are loaded again");
    }
}

#[tokio::test]
async fn object_that_changed_during_a_refresh_is_loaded_and_authorized_again() {
    let fixture = fixture();
    let (mut client, account) = fixture.send_and_hold("object").await;
    account.owner.store(2, Ordering::SeqCst);
    assert!(fixture.library.connections().refresh_all().await.is_acknowledged());
    release(&account);
    assert_eq!(client.reply().await.status(), 403);
    assert_eq!(account.bodies.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn action_does_not_start_after_its_user_is_disconnected() {
    for kind in KINDS {
        let fixture = fixture();
        let (mut client, account) = fixture.send_and_hold(kind).await;
        assert!(fixture.library.connections().disconnect_user("1").await.is_acknowledged());
        release(&account);
        assert_eq!(client.closed().await, 4403, "{kind}");
        account.left.notified().await;
        assert_eq!(account.bodies.load(Ordering::SeqCst), 0, "{kind}");
    }
}

/// Continuous changes of rights must not keep a message forever: changes wait for evaluations that make no progress.
#[tokio::test(start_paused = true)]
async fn message_makes_progress_while_rights_change_continuously() {
    let fixture = fixture();
    let (mut client, account) = fixture.open(1).await;
    account.delay.store(30, Ordering::SeqCst);
    let sessions = fixture.library.connections();
    let storm = tokio::spawn(async move {
        loop {
            assert!(sessions.refresh_all().await.is_acknowledged());
            tokio::time::sleep(std::time::Duration::from_millis(12)).await;
        }
    });
    client.send(message("object", 1));
    assert_eq!(client.reply().await.status(), 200);
    assert_eq!(account.bodies.load(Ordering::SeqCst), 1);
    storm.abort();
    assert_eq!(client.call("object").route("docs/1/").with("doc", 1).await.status(), 200);
}

/// The client sends a message and is gone before `#[connect]` has returned.
#[tokio::test]
async fn action_does_not_start_if_its_rights_are_revoked_during_connect() {
    for disconnects in [true, false] {
        let fixture = fixture();
        let account = fixture.accounts.get(1);
        account.may_edit.store(true, Ordering::SeqCst);
        account.holds_connect.store(true, Ordering::SeqCst);
        let mut client = connect(&fixture.library).user(member(1, &[])).open().await.unwrap();
        client.send(message("queued", 1));
        account.waits.notified().await;
        if disconnects {
            assert!(fixture.library.connections().disconnect_user("1").await.is_acknowledged());
        } else {
            account.may_edit.store(false, Ordering::SeqCst);
            assert!(fixture.library.connections().refresh_user("1").await.is_acknowledged());
        }
        drop(client);
        account.go_on.notify_one();
        account.left.notified().await;
        assert_eq!(account.bodies.load(Ordering::SeqCst), 0);
    }
}

#[tokio::test]
async fn action_starts_if_its_own_extractor_refreshes_its_caller() {
    let fixture = fixture();
    let (mut client, account) = fixture.open(1).await;
    assert_eq!(client.call("provision").route("docs/1/").await.status(), 200);
    assert_eq!(account.loads.load(Ordering::SeqCst), 1, "it is not evaluated again");
}
