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
    until: Option<SystemTime>,
}

pub(super) fn member(token: &str) -> Member {
    let mut parts = token.split(' ');
    let (id, role) = (parts.next().unwrap(), parts.next().unwrap_or("none"));
    let until = parts.next().map(|seconds| SystemTime::now() + Duration::from_secs(seconds.parse().unwrap()));
    Member { id: id.into(), role: role.into(), until }
}

impl User for Member {
    fn id(&self) -> Cow<'_, str> {
        assert_ne!(self.role, "unspeakable", "an id that cannot be told");
        Cow::Borrowed(&self.id)
    }

    fn expires_at(&self) -> Option<SystemTime> {
        self.until
    }
}

/// What is true at this moment, and how far the server has come.
pub(super) struct Truth {
    /// An action runs, and goes on when it is told to.
    pub(super) begun: Notify,
    pub(super) go_on: Notify,
    /// It has nothing more to do.
    pub(super) done: Notify,
    /// Credentials are looked at, until it is told that they are good.
    pub(super) looking: Notify,
    pub(super) looked: Notify,
    /// Whoever looks at credentials blocks the thread until it hears something.
    pub(super) block: Mutex<Option<mpsc::Receiver<()>>>,
    /// The consumer was told that somebody has gone.
    pub(super) gone: Notify,
    /// These answer once they are open.
    pub(super) door: watch::Sender<bool>,
    pub(super) permission: watch::Sender<bool>,
    pub(super) grants: watch::Sender<bool>,
    /// Nobody may call `enter_asked` any more, or stay in the lobby.
    pub(super) denied: AtomicBool,
    pub(super) outside: AtomicBool,
    /// Whether the role `mod` may see uploads.
    pub(super) mods_read: AtomicBool,
    /// How many members were found for an event that nobody sees.
    pub(super) found: AtomicUsize,
    pub(super) counted: AtomicUsize,
}

impl Truth {
    pub(super) fn new() -> Arc<Truth> {
        Arc::new(Truth {
            begun: Notify::new(),
            go_on: Notify::new(),
            done: Notify::new(),
            looking: Notify::new(),
            looked: Notify::new(),
            block: Mutex::new(None),
            gone: Notify::new(),
            door: watch::Sender::new(true),
            permission: watch::Sender::new(true),
            grants: watch::Sender::new(true),
            denied: AtomicBool::new(false),
            outside: AtomicBool::new(false),
            mods_read: AtomicBool::new(true),
            found: AtomicUsize::new(0),
            counted: AtomicUsize::new(0),
        })
    }

    pub(super) async fn opened(door: &watch::Sender<bool>) {
        door.subscribe().wait_for(|open| *open).await.unwrap();
    }

    /// An action that runs until it is told to go on.
    pub(super) async fn run(&self) {
        self.begun.notify_one();
        self.go_on.notified().await;
        self.done.notify_one();
    }

    /// How many members there are, as `publish` finds them for a [`Search`].
    pub(super) fn find(&self, publish: impl FnOnce()) -> usize {
        let before = self.found.load(Ordering::SeqCst);
        publish();
        self.found.load(Ordering::SeqCst) - before
    }
}

pub(super) struct Source(pub(super) Arc<Truth>);

impl GrantSource<Member> for Source {
    async fn load(&self, user: &Member) -> Result<UserGrants> {
        Truth::opened(&self.0.grants).await;
        let mut grants = UserGrants::default();
        if user.role == "mod" && self.0.mods_read.load(Ordering::SeqCst) {
            grants = GrantSet::from(uploads::read).into();
        }
        grants.roles = vec![user.role.clone()];
        Ok(grants)
    }
}
