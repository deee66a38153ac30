//! A source for tests. It says what it was asked, and answers when it is let go, with what was true when it was asked.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::Semaphore;

use crate::error::{Error, Result};
use crate::grants::{Codename, CodenameRow, GrantCache, GrantSource, ObjectKey, Overwrites, UserGrants};

pub(in crate::grants) const READ: Codename = {
    static ROW: CodenameRow = CodenameRow::new("staged.read", "May read", module_path!());
    Codename::of(&ROW)
};

pub(in crate::grants) const WRITE: Codename = {
    static ROW: CodenameRow = CodenameRow::new("staged.write", "May write", module_path!());
    Codename::of(&ROW)
};

pub(in crate::grants) fn key(id: u32) -> ObjectKey {
    ObjectKey::new("channel", id)
}

pub(in crate::grants) fn keys(ids: &[u32]) -> Vec<ObjectKey> {
    ids.iter().copied().map(key).collect()
}

/// Everybody may, with this object.
pub(in crate::grants) fn allowed(codename: Codename) -> Overwrites {
    Overwrites::new().allow_everyone(codename)
}

/// Nobody may, with this object.
pub(in crate::grants) fn denied(codename: Codename) -> Overwrites {
    Overwrites::new().deny_everyone(codename)
}

type Bad = (ObjectKey, fn() -> Error);

pub(in crate::grants) struct Stage {
    pub(in crate::grants) user: Mutex<UserGrants>,
    pub(in crate::grants) objects: Mutex<HashMap<ObjectKey, Overwrites>>,
    /// Whether users cannot be loaded.
    pub(in crate::grants) broken: AtomicBool,
    /// The object that cannot be loaded, and why.
    pub(in crate::grants) bad: Mutex<Option<Bad>>,
    pub(in crate::grants) loads: AtomicUsize,
    pub(in crate::grants) asked: Mutex<Vec<Vec<ObjectKey>>>,
    go: Semaphore,
}

#[derive(Clone)]
pub(in crate::grants) struct Staged(Arc<Stage>);

impl Staged {
    /// One that waits before each answer.
    pub(in crate::grants) fn held() -> Staged {
        Staged(Arc::new(Stage {
            user: Mutex::default(),
            objects: Mutex::default(),
            broken: AtomicBool::new(false),
            bad: Mutex::default(),
            loads: AtomicUsize::new(0),
            asked: Mutex::default(),
            go: Semaphore::new(0),
        }))
    }

    /// One that answers at once.
    pub(in crate::grants) fn open() -> Staged {
        let staged = Staged::held();
        staged.let_go(1_000_000);
        staged
    }

    pub(in crate::grants) fn let_go(&self, answers: usize) {
        self.go.add_permits(answers);
    }

    pub(in crate::grants) fn cache(&self) -> GrantCache<()> {
        GrantCache::new(self.clone())
    }

    pub(in crate::grants) fn grant(&self, codenames: impl IntoIterator<Item = Codename>) {
        self.user.lock().unwrap().grants = codenames.into_iter().collect();
    }

    pub(in crate::grants) fn set(&self, id: u32, overwrites: Overwrites) {
        self.objects.lock().unwrap().insert(key(id), overwrites);
    }

    pub(in crate::grants) fn loads(&self) -> usize {
        self.loads.load(Ordering::SeqCst)
    }

    pub(in crate::grants) fn asked(&self) -> Vec<Vec<ObjectKey>> {
        self.asked.lock().unwrap().clone()
    }

    async fn wait(&self) {
        // Threads that run beside may change what was read just now.
        std::thread::yield_now();
        self.go.acquire().await.unwrap().forget();
    }
}

impl std::ops::Deref for Staged {
    type Target = Stage;

    fn deref(&self) -> &Stage {
        &self.0
    }
}

impl GrantSource<()> for Staged {
    async fn load(&self, (): &()) -> Result<UserGrants> {
        self.loads.fetch_add(1, Ordering::SeqCst);
        let (user, broken) = (self.user.lock().unwrap().clone(), self.broken.load(Ordering::SeqCst));
        self.wait().await;
        if broken { Err(Error::internal("no database")) } else { Ok(user) }
    }

    async fn overwrites(&self, objects: &[ObjectKey]) -> Result<Vec<Overwrites>> {
        self.asked.lock().unwrap().push(objects.to_vec());
        let bad = self.bad.lock().unwrap().clone().filter(|(bad, _)| objects.contains(bad));
        let all = {
            let known = self.objects.lock().unwrap();
            objects.iter().map(|object| known.get(object).cloned().unwrap_or_default()).collect()
        };
        self.wait().await;
        bad.map_or(Ok(all), |(_, error)| Err(error()))
    }
}
