//! A grant source for tests. It records its requests and completes them on release, with the data as of the request.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::Semaphore;

use crate::error::{Error, Result};
use crate::grants::{Codename, CodenameRow, GrantCache, GrantSource, ObjectKey, Overwrites, UserGrants};

pub(in crate::grants) const READ: Codename = {
    static ROW: CodenameRow = CodenameRow::new("documents.read", "May read", module_path!());
    Codename::of(&ROW)
};

pub(in crate::grants) const WRITE: Codename = {
    static ROW: CodenameRow = CodenameRow::new("documents.write", "May write", module_path!());
    Codename::of(&ROW)
};

pub(in crate::grants) fn key(id: u32) -> ObjectKey {
    ObjectKey::new("channel", id)
}

pub(in crate::grants) fn keys(ids: &[u32]) -> Vec<ObjectKey> {
    ids.iter().copied().map(key).collect()
}

/// Returns overwrites that allow this to everyone.
pub(in crate::grants) fn allow_everyone(codename: Codename) -> Overwrites {
    Overwrites::new().allow_everyone(codename)
}

/// Returns overwrites that deny this to everyone.
pub(in crate::grants) fn deny_everyone(codename: Codename) -> Overwrites {
    Overwrites::new().deny_everyone(codename)
}

type Failure = (ObjectKey, fn() -> Error);

pub(in crate::grants) struct FakeDatabase {
    pub(in crate::grants) user: Mutex<UserGrants>,
    pub(in crate::grants) objects: Mutex<HashMap<ObjectKey, Overwrites>>,
    /// Whether loading users fails.
    pub(in crate::grants) is_failing: AtomicBool,
    /// An object whose load fails, and the error.
    pub(in crate::grants) failing_object: Mutex<Option<Failure>>,
    pub(in crate::grants) load_count: AtomicUsize,
    pub(in crate::grants) requests: Mutex<Vec<Vec<ObjectKey>>>,
    permits: Semaphore,
}

#[derive(Clone)]
pub(in crate::grants) struct FakeSource(Arc<FakeDatabase>);

impl FakeSource {
    /// Creates a source whose requests wait for [`release`](FakeSource::release).
    pub(in crate::grants) fn blocked() -> FakeSource {
        FakeSource(Arc::new(FakeDatabase {
            user: Mutex::default(),
            objects: Mutex::default(),
            is_failing: AtomicBool::new(false),
            failing_object: Mutex::default(),
            load_count: AtomicUsize::new(0),
            requests: Mutex::default(),
            permits: Semaphore::new(0),
        }))
    }

    /// Creates a source whose requests complete immediately.
    pub(in crate::grants) fn immediate() -> FakeSource {
        let source = FakeSource::blocked();
        source.release(1_000_000);
        source
    }

    pub(in crate::grants) fn release(&self, loads: usize) {
        self.permits.add_permits(loads);
    }

    pub(in crate::grants) fn cache(&self) -> GrantCache<()> {
        GrantCache::new(self.clone())
    }

    pub(in crate::grants) fn grant(&self, codenames: impl IntoIterator<Item = Codename>) {
        self.user.lock().unwrap().grants = codenames.into_iter().collect();
    }

    pub(in crate::grants) fn set_overwrites(&self, id: u32, overwrites: Overwrites) {
        self.objects.lock().unwrap().insert(key(id), overwrites);
    }

    pub(in crate::grants) fn load_count(&self) -> usize {
        self.load_count.load(Ordering::SeqCst)
    }

    pub(in crate::grants) fn requests(&self) -> Vec<Vec<ObjectKey>> {
        self.requests.lock().unwrap().clone()
    }

    async fn wait_for_release(&self) {
        // Lets other threads change the data that was just read.
        std::thread::yield_now();
        self.permits.acquire().await.unwrap().forget();
    }
}

impl std::ops::Deref for FakeSource {
    type Target = FakeDatabase;

    fn deref(&self) -> &FakeDatabase {
        &self.0
    }
}

impl GrantSource<()> for FakeSource {
    async fn load(&self, (): &()) -> Result<UserGrants> {
        self.load_count.fetch_add(1, Ordering::SeqCst);
        let (user, is_failing) = (self.user.lock().unwrap().clone(), self.is_failing.load(Ordering::SeqCst));
        self.wait_for_release().await;
        if is_failing { Err(Error::internal("no database")) } else { Ok(user) }
    }

    async fn overwrites(&self, objects: &[ObjectKey]) -> Result<Vec<Overwrites>> {
        self.requests.lock().unwrap().push(objects.to_vec());
        let failure = self.failing_object.lock().unwrap().clone().filter(|(object, _)| objects.contains(object));
        let all = {
            let stored = self.objects.lock().unwrap();
            objects.iter().map(|object| stored.get(object).cloned().unwrap_or_default()).collect()
        };
        self.wait_for_release().await;
        failure.map_or(Ok(all), |(_, error)| Err(error()))
    }
}
