//! Who is connected, what is true at this moment, and how far the server has come.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, SystemTime};

use portcullis::{GrantSet, GrantSource, Result, User, UserGrants};
use tokio::sync::{Notify, watch};

use super::uploads;

/// Made of `7 mod 60`: the user 7 with that role, for so many seconds. Role and time may be left out.
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
        assert_ne!(self.role, "unspeakable", "an id that cannot be told");
        Cow::Borrowed(&self.id)
    }

    fn expires_at(&self) -> Option<SystemTime> {
        self.expires_at
    }
}

/// What is true at this moment, and how far the server has come.
pub(super) struct State {
    /// An action runs, and goes on when it is told to.
    pub(super) started: Notify,
    pub(super) resume: Notify,
    /// It has nothing more to do.
    pub(super) finished: Notify,
    /// Credentials are looked at, until it is told that they are good.
    pub(super) authenticating: Notify,
    pub(super) authenticate_permit: Notify,
    /// Whoever looks at credentials blocks the thread until it hears something.
    pub(super) blocker: Mutex<Option<mpsc::Receiver<()>>>,
    /// The consumer was told that somebody has gone.
    pub(super) disconnected: Notify,
    /// These answer once they are open.
    pub(super) handshake_open: watch::Sender<bool>,
    pub(super) permission_open: watch::Sender<bool>,
    pub(super) grants_open: watch::Sender<bool>,
    /// Nobody may call `enter_asked` any more, or stay in the lobby.
    pub(super) is_denied: AtomicBool,
    pub(super) is_outside: AtomicBool,
    /// Whether the role `mod` may see uploads.
    pub(super) can_mods_read: AtomicBool,
    /// How many members were found for an event that nobody sees.
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

    /// An action that runs until it is told to go on.
    pub(super) async fn run(&self) {
        self.started.notify_one();
        self.resume.notified().await;
        self.finished.notify_one();
    }

    /// How many members there are, as `publish` finds them for a [`Search`].
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
