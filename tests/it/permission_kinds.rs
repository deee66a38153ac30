//! Kinds of permissions: blocking ones, ones for HTTP requests, and refusals with the application's own error.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use portcullis::testing::connect;
use portcullis::{
    AllowAny, Blocking, BlockingPermission, Error, Handler, HttpRequest, IsAuthenticated, Limits, Permission,
    PermissionContext, Result, consumer, http_permission,
};

use crate::common::{Member, member};

struct Library {
    ledger: Arc<Ledger>,
}

#[derive(Default)]
struct Ledger {
    /// Gates at which checks wait.
    gates: Mutex<Vec<mpsc::Receiver<()>>>,
    evaluations: AtomicU32,
}

/// Holds if the member has at least this many roles.
struct InLedger(u32);

impl BlockingPermission<Library> for InLedger {
    fn check(
        &self,
        library: &Library,
        cx: &PermissionContext<'_, Member>,
    ) -> Result<impl FnOnce() -> Result<bool> + Send + 'static> {
        let (ledger, member, least) = (library.ledger.clone(), cx.require_user()?.clone(), self.0);
        Ok(move || {
            ledger.evaluations.fetch_add(1, Ordering::SeqCst);
            let gate = ledger.gates.lock().unwrap().pop();
            if let Some(gate) = gate {
                // Blocks this thread, like a synchronous driver.
                let _ = gate.recv();
            }
            match member.roles.first() {
                Some(&"err") => Err(Error::internal("the ledger's secret")),
                Some(&"gone") => Err(Error::conflict("The ledger was closed.")),
                Some(&"panic") => panic!("the ledger's secret"),
                _ => Ok(u32::try_from(member.roles.len()).unwrap() >= least),
            }
        })
    }
}

/// A blocking permission without an argument.
struct Paying;

impl BlockingPermission<Library> for Paying {
    fn check(
        &self,
        _: &Library,
        cx: &PermissionContext<'_, Member>,
    ) -> Result<impl FnOnce() -> Result<bool> + Send + 'static> {
        let pays = cx.require_user()?.roles.contains(&"paying");
        Ok(move || Ok(pays))
    }
}

async fn in_the_office(request: &HttpRequest<'_>, user: Option<&Member>) -> Result<bool> {
    tokio::task::yield_now().await;
    Ok(user.is_some() && request.header("x-office")?.is_some())
}

/// An error type of the application.
struct Forged;

impl From<Forged> for Error {
    fn from(_: Forged) -> Error {
        Error::unauthenticated()
    }
}

async fn has_a_ticket(request: &HttpRequest<'_>, _: Option<&Member>) -> Result<bool, Forged> {
    match request.uri().query() {
        Some("ticket=valid") => Ok(true),
        Some("ticket=forged") => Err(Forged),
        _ => Ok(false),
    }
}

http_permission! {
    /// Members in the office.
    struct InTheOffice(Member) = in_the_office, headers("x-office");
    struct HasATicket(Member) = has_a_ticket;
}

/// Refuses members with the role `spent` with 429.
struct Quota;

impl<H: Handler<User = Member>> Permission<H> for Quota {
    async fn has_permission(&self, _: &H, cx: &PermissionContext<'_, Member>) -> Result<bool> {
        match cx.require_user()?.roles.first() {
            Some(&"spent") => Err(Error::too_many_requests(Duration::from_millis(1500))),
            _ => Ok(true),
        }
    }
}

#[consumer(user = Member)]
impl Library {
    #[action(permission = Blocking(InLedger(2)))]
    async fn lend(&self) {}

    #[action(permission = "IsAuthenticated & Blocking(Paying)")]
    async fn reserve(&self) {}

    #[action(permission = "!Blocking(Paying) & Blocking(InLedger(1))")]
    async fn beg(&self) {}

    #[action(permission = AllowAny)]
    async fn hours(&self) {}

    #[action(permission = Blocking(Paying), blocking)]
    fn bind(&self) {}

    #[action(permission = InTheOffice)]
    async fn shelve(&self) {}

    #[action(permission = "!Quota | IsAuthenticated")]
    async fn copy(&self) {}
}

struct Vault;

#[consumer(user = Member, permission = "HasATicket")]
impl Vault {
    #[action]
    async fn enter(&self) {}
}

#[tokio::test]
async fn blocking_permission_is_evaluated_like_an_async_one() {
    let library = portcullis::websocket(Library { ledger: Arc::default() });
    for (roles, lend, reserve, beg) in [
        (vec![], 403, 403, 403),
        (vec!["a"], 403, 403, 200),
        (vec!["a", "paying"], 200, 200, 403),
        (vec!["err"], 500, 403, 500),
        (vec!["gone"], 409, 403, 409),
        (vec!["panic"], 500, 403, 500),
    ] {
        let mut client = connect(&library).user(member(1, &roles)).open().await.unwrap();
        for (action, wanted) in [("lend", lend), ("reserve", reserve), ("beg", beg)] {
            let reply = client.call(action).await;
            assert_eq!(reply.status(), wanted, "{action} {roles:?}");
            assert!(!reply.text().contains("secret"), "{}", reply.text());
        }
    }
    let mut stranger = connect(&library).open().await.unwrap();
    assert_eq!(stranger.call("lend").await.status(), 403, "an error of `check` itself refuses");
}

#[tokio::test]
async fn blocking_permission_delays_no_other_connection() {
    let ledger = Arc::<Ledger>::default();
    let library = portcullis::websocket(Library { ledger: ledger.clone() });
    let (open, gate) = mpsc::channel();
    ledger.gates.lock().unwrap().push(gate);
    let mut waiting = connect(&library).user(member(1, &["a", "b"])).open().await.unwrap();
    let mut other = connect(&library).user(member(2, &[])).open().await.unwrap();
    let lending = async { waiting.call("lend").await.status() };
    let meanwhile = async {
        while ledger.evaluations.load(Ordering::SeqCst) == 0 {
            assert_eq!(other.call("hours").await.status(), 200);
        }
        assert_eq!(other.call("hours").await.status(), 200, "on the only thread, while a check blocks");
        open.send(()).unwrap();
    };
    assert_eq!(tokio::join!(lending, meanwhile).0, 200);
}

#[tokio::test]
async fn blocking_permission_over_the_timeout_is_refused() {
    let ledger = Arc::<Ledger>::default();
    let limits = Limits { action_timeout: Duration::from_millis(20), ..Limits::default() };
    let library = portcullis::websocket(Library { ledger: ledger.clone() }).limits(limits);
    let (open, gate) = mpsc::channel::<()>();
    ledger.gates.lock().unwrap().push(gate);
    let mut client = connect(&library).user(member(1, &["a", "b"])).open().await.unwrap();
    assert_eq!(client.call("lend").await.status(), 500);
    drop(open);
    assert_eq!(client.call("hours").await.status(), 200);
}

#[test]
fn blocking_permission_of_a_blocking_action_needs_no_second_thread() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(1).build().unwrap();
    runtime.block_on(async {
        let library = portcullis::websocket(Library { ledger: Arc::default() });
        for (roles, status) in [(&["paying"][..], 200), (&[], 403)] {
            let mut client = connect(&library).user(member(1, roles)).open().await.unwrap();
            assert_eq!(client.call("bind").await.status(), status);
        }
    });
}

#[test]
fn blocking_permission_that_timed_out_in_the_pool_queue_does_not_begin() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(1).build().unwrap();
    runtime.block_on(async {
        let ledger = Arc::<Ledger>::default();
        let limits = Limits { action_timeout: Duration::from_millis(20), ..Limits::default() };
        let library = portcullis::websocket(Library { ledger: ledger.clone() }).limits(limits);
        let (open, gate) = mpsc::channel::<()>();
        ledger.gates.lock().unwrap().push(gate);
        for _ in 0..3 {
            // The first has the only thread, so the others wait in the pool queue until they time out.
            let mut client = connect(&library).user(member(1, &["a", "b"])).open().await.unwrap();
            assert_eq!(client.call("lend").await.status(), 500);
        }
        drop(open);
        let mut client = connect(&library).user(member(1, &["a", "b"])).open().await.unwrap();
        assert_eq!(client.call("lend").await.status(), 200);
        assert_eq!(ledger.evaluations.load(Ordering::SeqCst), 2, "only the first and the last ran");
    });
}

#[tokio::test]
async fn http_permission_is_evaluated_with_the_handshake_request() {
    let library = portcullis::websocket(Library { ledger: Arc::default() });
    for (user, office, wanted) in [(true, true, 200), (true, false, 403), (false, true, 403)] {
        let connecting = connect(&library);
        let connecting = if user { connecting.user(member(1, &[])) } else { connecting };
        let connecting = if office { connecting.header("x-office", "north") } else { connecting };
        let mut client = connecting.open().await.unwrap();
        assert_eq!(client.call("shelve").await.status(), wanted, "{user} {office}");
    }
    let vault = portcullis::websocket(Vault);
    let mut client = connect(&vault).path("/ws?ticket=valid").open().await.unwrap();
    assert_eq!(client.call("enter").await.status(), 200);
    for (path, wanted) in [("/ws", 401), ("/ws?ticket=forged", 401)] {
        let refused = connect(&vault).path(path).open().await.unwrap_err();
        assert_eq!(refused.status(), wanted, "it has an opinion in the handshake: {path}");
    }
}

#[tokio::test]
async fn permission_that_returns_an_error_refuses_with_it() {
    let library = portcullis::websocket(Library { ledger: Arc::default() });
    let mut client = connect(&library).user(member(1, &["spent"])).open().await.unwrap();
    let reply = client.call("copy").await;
    assert_eq!((reply.status(), reply.code()), (429, "too_many_requests"));
    assert_eq!(reply.value()["errors"][0]["retry_after"], 2, "whole seconds, rounded up: {}", reply.text());
    let mut client = connect(&library).user(member(1, &[])).open().await.unwrap();
    assert_eq!(client.call("copy").await.status(), 200);
}
