//! Stores and loads of users that fail, hang or panic: no connection is opened, and the log has the cause.

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use portcullis::testing::connect;
use portcullis::{Error, Limits, LoginId, MemoryTicketStore, Result, TicketClaims, TicketKey, TicketStore, Tickets};
use tokio::time::Instant;

use super::{Guest, assert_opens, desk, guest, issue, open, request};
use crate::common::log_capture::LogCapture;

#[derive(Debug, Clone, Copy)]
enum Fault {
    Fail,
    /// An error that would be a refusal, if it came from a permission.
    Refuse,
    Panic,
    PanicAtOnce,
    Hang,
}

const ALL: [Fault; 5] = [Fault::Fail, Fault::Refuse, Fault::Panic, Fault::PanicAtOnce, Fault::Hang];

impl Fault {
    async fn run<T>(self) -> Result<T> {
        match self {
            Fault::Fail => Err(Error::internal("no connection")),
            Fault::Refuse => Err(Error::denied()),
            Fault::Panic | Fault::PanicAtOnce => panic!("no connection"),
            Fault::Hang => pending().await,
        }
    }

    /// What the log has of it.
    fn cause(self) -> &'static str {
        match self {
            Fault::Fail => "the ticket store has failed",
            Fault::Refuse => "Permission denied",
            Fault::Panic | Fault::PanicAtOnce => "the ticket store panicked: no connection",
            Fault::Hang => "the ticket store has not answered within 5 s",
        }
    }
}

/// A store with a fault while one is set.
#[derive(Clone)]
struct FaultyStore {
    inner: Arc<MemoryTicketStore>,
    fault: Arc<Mutex<Option<Fault>>>,
}

impl FaultyStore {
    fn new() -> FaultyStore {
        FaultyStore { inner: Arc::new(MemoryTicketStore::new()), fault: Arc::default() }
    }

    fn set(&self, fault: Option<Fault>) {
        *self.fault.lock().unwrap() = fault;
    }

    /// Calls the store, unless there is a fault.
    fn run<T>(&self, call: impl Future<Output = Result<T>> + Send) -> impl Future<Output = Result<T>> + Send {
        let fault = *self.fault.lock().unwrap();
        assert!(!matches!(fault, Some(Fault::PanicAtOnce)), "no connection");
        async move {
            match fault {
                Some(fault) => fault.run().await,
                None => call.await,
            }
        }
    }
}

impl TicketStore for FaultyStore {
    fn insert(
        &self,
        key: TicketKey,
        claims: TicketClaims,
        max_per_user: usize,
    ) -> impl Future<Output = Result<()>> + Send {
        self.run(self.inner.insert(key, claims, max_per_user))
    }

    fn take(&self, key: TicketKey) -> impl Future<Output = Result<Option<TicketClaims>>> + Send {
        self.run(self.inner.take(key))
    }

    fn void_login(&self, login: LoginId) -> impl Future<Output = Result<()>> + Send {
        self.run(self.inner.void_login(login))
    }
}

/// Asserts that one entry is an error with this cause.
fn assert_logged(log: &LogCapture, cause: &str) {
    let lines = log.take();
    let is_logged = |line: &String| line.starts_with("ERROR") && line.contains(cause);
    assert_eq!(lines.iter().filter(|line| is_logged(line)).count(), 1, "{cause}: {lines:#?}");
}

#[tokio::test(start_paused = true)]
async fn store_with_a_fault_rejects_the_handshake_with_500() {
    let log = LogCapture::start();
    for fault in ALL {
        let store = FaultyStore::new();
        let desk = desk(&super::tickets(store.clone()));
        let ticket = issue(&desk, 7, "a").await;
        store.set(Some(fault));
        let start = Instant::now();
        assert_eq!(open(&desk, &ticket).await.unwrap_err().status(), 500, "{fault:?}");
        assert!(start.elapsed() <= Duration::from_secs(5), "{fault:?}");
        assert_logged(&log, fault.cause());
        store.set(None);
        assert_opens(&desk, &ticket, 7).await;
    }
}

#[tokio::test(start_paused = true)]
async fn store_with_a_fault_issues_and_voids_nothing() {
    let log = LogCapture::start();
    for fault in ALL {
        let store = FaultyStore::new();
        let tickets = super::tickets(store.clone());
        let desk = desk(&tickets);
        store.set(Some(fault));
        let start = Instant::now();
        let issued = desk.issue_ticket(&request(), &guest(7), &LoginId::new("a")).await;
        assert!(issued.is_err_and(|error| error.is_fault()), "{fault:?}");
        assert_logged(&log, fault.cause());
        assert!(tickets.void_login(&LoginId::new("a")).await.is_err_and(|error| error.is_fault()), "{fault:?}");
        assert_logged(&log, fault.cause());
        assert!(start.elapsed() <= Duration::from_secs(10), "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn load_of_a_user_with_a_fault_rejects_the_handshake_and_uses_the_ticket_up() {
    let log = LogCapture::start();
    for (fault, status, cause) in [
        (Fault::Fail, 500, "no connection"),
        (Fault::Refuse, 403, ""),
        (Fault::Panic, 500, "panicked: no connection"),
        (Fault::PanicAtOnce, 500, "panicked: no connection"),
        (Fault::Hang, 500, "handshake timed out"),
    ] {
        let tickets: Tickets<Guest> = Tickets::new(MemoryTicketStore::new(), move |_| {
            assert!(!matches!(fault, Fault::PanicAtOnce), "no connection");
            fault.run()
        });
        let limits = Limits { action_timeout: Duration::from_secs(3), ..Limits::default() };
        let desk = desk(&tickets).limits(limits);
        let ticket = issue(&desk, 7, "a").await;
        assert_eq!(open(&desk, &ticket).await.unwrap_err().status(), status, "{fault:?}");
        if status == 500 {
            assert_logged(&log, cause);
        }
        assert_eq!(open(&desk, &ticket).await.unwrap_err().status(), 401, "{fault:?}");
    }
}

#[tokio::test]
async fn load_that_returns_another_user_is_a_fault() {
    let log = LogCapture::start();
    let tickets = Tickets::new(MemoryTicketStore::new(), |_| async { Ok(Some(guest(8))) });
    let desk = desk(&tickets);
    let ticket = issue(&desk, 7, "a").await;
    assert_eq!(open(&desk, &ticket).await.unwrap_err().status(), 500);
    assert_logged(&log, "another user than that of the claims");
}

#[tokio::test]
async fn endpoint_without_tickets_issues_none() {
    let log = LogCapture::start();
    let desk = portcullis::websocket(super::TicketDesk);
    let issued = desk.issue_ticket(&request(), &guest(7), &LoginId::new("a")).await;
    assert!(issued.unwrap_err().is_fault());
    assert_logged(&log, "add `.tickets(..)`");
    assert_eq!(connect(&desk).path("/ws?ticket=").open().await.unwrap_err().status(), 401);
}
