//! The state that tests and server share, users and grants.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, SystemTime};

use portcullis::{GrantSet, GrantSource, Result, User, UserGrants};
use tokio::sync::{Notify, watch};

use super::uploads;

/// Parsed from `7 mod 60`: user 7 with the role `mod`, expiring in 60 seconds. Role and time are optional.
pub(super) struct Member {
    id: String,
    role: String,
    expires_at: Option<SystemTime>,
}

pub(super) fn member(token: &str) -> Member {
    let mut parts = token.split(' ');
    let (id, role) = (parts.next().unwrap(), parts.next().unwrap_or("none"));
    let expires_at = parts.next().map(|seconds| SystemTime::now() + Duration::from_secs(seconds.parse().unwrap()));
    Member { id: id.into(), role: role.into(), expires_at }
}

impl User for Member {
    fn id(&self) -> Cow<'_, str> {
        assert_ne!(self.role, "unspeakable", "an id that panics");
        Cow::Borrowed(&self.id)
    }

    fn expires_at(&self) -> Option<SystemTime> {
        self.expires_at
    }
}

/// What tests and server share.
pub(super) struct State {
    /// An action has begun; it continues on `resume`.
    pub(super) started: Notify,
    pub(super) resume: Notify,
    /// The action has finished.
    pub(super) finished: Notify,
    /// `#[authenticate]` has begun; tokens with `wait` need a permit.
    pub(super) authenticating: Notify,
    pub(super) authenticate_permit: Notify,
    /// Blocks the thread of `#[authenticate]` until something is received.
    pub(super) blocker: Mutex<Option<mpsc::Receiver<()>>>,
    /// `#[disconnect]` has run.
    pub(super) disconnected: Notify,
    /// Evaluations wait until these are open.
    pub(super) handshake_open: watch::Sender<bool>,
    pub(super) permission_open: watch::Sender<bool>,
    pub(super) grants_open: watch::Sender<bool>,
    /// Set to deny `enter_asked`, and to end memberships of the lobby.
    pub(super) is_denied: AtomicBool,
    pub(super) is_outside: AtomicBool,
    /// Whether the role `mod` is granted `uploads.read`.
    pub(super) can_mods_read: AtomicBool,
    /// The number of members that a [`Search`] was evaluated for.
    pub(super) members_found: AtomicUsize,
    pub(super) count_calls: AtomicUsize,
}

impl State {
    pub(super) fn new() -> Arc<State> {
        Arc::new(State {
            started: Notify::new(),
            resume: Notify::new(),
            finished: Notify::new(),
            authenticating: Notify::new(),
            authenticate_permit: Notify::new(),
            blocker: Mutex::new(None),
            disconnected: Notify::new(),
            handshake_open: watch::Sender::new(true),
            permission_open: watch::Sender::new(true),
            grants_open: watch::Sender::new(true),
            is_denied: AtomicBool::new(false),
            is_outside: AtomicBool::new(false),
            can_mods_read: AtomicBool::new(true),
            members_found: AtomicUsize::new(0),
            count_calls: AtomicUsize::new(0),
        })
    }

    pub(super) async fn wait_until_open(handshake_open: &watch::Sender<bool>) {
        handshake_open.subscribe().wait_for(|open| *open).await.unwrap();
    }

    /// The body of an action that waits for `resume`.
    pub(super) async fn run(&self) {
        self.started.notify_one();
        self.resume.notified().await;
        self.finished.notify_one();
    }

    /// Returns the number of members that `publish` evaluates a [`Search`] for.
    pub(super) fn find(&self, publish: impl FnOnce()) -> usize {
        let before = self.members_found.load(Ordering::SeqCst);
        publish();
        self.members_found.load(Ordering::SeqCst) - before
    }
}

pub(super) struct FakeGrants(pub(super) Arc<State>);

impl GrantSource<Member> for FakeGrants {
    async fn load(&self, user: &Member) -> Result<UserGrants> {
        State::wait_until_open(&self.0.grants_open).await;
        let mut grants = UserGrants::default();
        if user.role == "mod" && self.0.can_mods_read.load(Ordering::SeqCst) {
            grants = GrantSet::from(uploads::read).into();
        }
        grants.roles = vec![user.role.clone()];
        Ok(grants)
    }
}
