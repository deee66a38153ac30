//! The state that tests and server share, and the leaves, objects and grants that read it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use portcullis::{
    Context, Error, GrantKey, GrantSource, Handler, Load, ObjectKey, ObjectPermission, Overwrites, Permission,
    PermissionContext, Result, UserGrants,
};
use serde::Deserialize;
use tokio::sync::{Notify, Semaphore};

use super::Member;
use super::handlers::{Desk, Lobby, Said, Shelf};

/// The result of a leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LeafResult {
    No,
    Fails,
    Refuses,
    Panics,
    Hangs,
    /// Allows after an evaluation permit.
    Waits,
}

/// What tests and server share.
pub(crate) struct State {
    /// Results per leaf; a leaf without an entry allows.
    pub(crate) results: Mutex<HashMap<&'static str, LeafResult>>,
    pub(crate) grants: Mutex<HashMap<u32, UserGrants>>,
    pub(crate) overwrites: Mutex<HashMap<String, Overwrites>>,
    /// The users whose grants were loaded.
    pub(crate) loaded: Mutex<Vec<u32>>,
    /// The owner per note.
    pub(crate) notes: Mutex<HashMap<u32, u32>>,
    pub(crate) note_loads: AtomicUsize,
    /// The number of runs of actions.
    pub(crate) runs: AtomicUsize,
    pub(crate) started: Notify,
    pub(crate) resume_permits: Semaphore,
    /// A leaf waits for an evaluation permit.
    pub(crate) evaluating: Notify,
    pub(crate) evaluation_permits: Semaphore,
}

impl State {
    pub(crate) fn new() -> Arc<State> {
        Arc::new(State {
            results: Mutex::default(),
            grants: Mutex::default(),
            overwrites: Mutex::default(),
            loaded: Mutex::default(),
            notes: Mutex::default(),
            note_loads: AtomicUsize::new(0),
            runs: AtomicUsize::new(0),
            started: Notify::new(),
            resume_permits: Semaphore::new(0),
            evaluating: Notify::new(),
            evaluation_permits: Semaphore::new(0),
        })
    }

    /// The body of an action: notifies `started`, and waits for a permit.
    pub(crate) async fn run(&self) -> usize {
        let number = self.runs.fetch_add(1, Ordering::SeqCst) + 1;
        self.started.notify_one();
        self.resume_permits.acquire().await.unwrap().forget();
        number
    }

    /// Deletes a note, publishes to the lobby, and waits for a permit.
    pub(crate) async fn delete(&self, cx: &Context<'_, Member>, note: u32) -> Result<()> {
        cx.publish(Lobby, Said(note)).await?;
        self.notes.lock().unwrap().remove(&note);
        self.run().await;
        Ok(())
    }

    pub(crate) fn resume(&self) {
        self.resume_permits.add_permits(1);
    }

    pub(crate) fn set(&self, leaf: &'static str, results: LeafResult) {
        self.results.lock().unwrap().insert(leaf, results);
    }

    pub(crate) async fn evaluate(&self, leaf: &str) -> Result<bool> {
        let results = self.results.lock().unwrap().get(leaf).copied();
        match results {
            None => Ok(true),
            Some(LeafResult::No) => Ok(false),
            Some(LeafResult::Fails) => Err(Error::internal("a leaf's secret")),
            Some(LeafResult::Refuses) => Err(Error::conflict("a leaf's own word")),
            Some(LeafResult::Panics) => panic!("a leaf's secret"),
            Some(LeafResult::Hangs) => std::future::pending().await,
            Some(LeafResult::Waits) => {
                self.evaluating.notify_one();
                self.evaluation_permits.acquire().await.unwrap().forget();
                Ok(true)
            }
        }
    }

    pub(crate) fn grant(&self, id: u32, grants: UserGrants) {
        self.grants.lock().unwrap().insert(id, grants);
    }
}

pub(crate) struct FakeGrants(pub(crate) Arc<State>);

impl GrantSource<Member> for FakeGrants {
    async fn load(&self, user: &Member) -> Result<UserGrants> {
        self.0.loaded.lock().unwrap().push(user.id);
        Ok(self.0.grants.lock().unwrap().get(&user.id).cloned().unwrap_or_default())
    }

    async fn overwrites(&self, objects: &[ObjectKey]) -> Result<Vec<Overwrites>> {
        let all = self.0.overwrites.lock().unwrap();
        Ok(objects.iter().map(|object| all.get(&object.id().to_string()).cloned().unwrap_or_default()).collect())
    }
}

/// A handler whose leaves read the shared state.
pub(crate) trait HasState: Handler<User = Member> {
    fn state(&self) -> &State;
}

pub(crate) struct May(pub(crate) &'static str);

impl<H: HasState> Permission<H> for May {
    async fn has_permission(&self, handler: &H, _: &PermissionContext<'_, Member>) -> Result<bool> {
        handler.state().evaluate(self.0).await
    }
}

/// Holds at one shelf of one room.
pub(crate) struct MayAccessShelf(pub(crate) u32, pub(crate) String);

impl Permission<Shelf> for MayAccessShelf {
    async fn has_permission(&self, place: &Shelf, _: &PermissionContext<'_, Member>) -> Result<bool> {
        Ok(self.0 == 5 && self.1 == "top" && place.0.evaluate("place").await?)
    }
}

/// Blocks its thread, which is allowed only for blocking actions.
pub(crate) struct BlocksThread;

impl Permission<Desk> for BlocksThread {
    async fn has_permission(&self, desk: &Desk, _: &PermissionContext<'_, Member>) -> Result<bool> {
        drop(tokio::sync::Mutex::new(()).blocking_lock());
        desk.state.evaluate("own").await
    }
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Channel(pub(crate) u32);

impl GrantKey for Channel {
    fn grant_key(&self) -> ObjectKey {
        ObjectKey::new("channel", self.0)
    }
}

pub(crate) struct Note {
    pub(crate) id: u32,
    pub(crate) owner: u32,
}

impl Load<Desk> for Note {
    type Key = u32;
    const CAPTURES: &'static [&'static str] = &[];

    async fn load(desk: &Desk, _: &Context<'_, Member>, key: &u32) -> Result<Option<Note>> {
        desk.state.note_loads.fetch_add(1, Ordering::SeqCst);
        Ok(desk.state.notes.lock().unwrap().get(key).map(|owner| Note { id: *key, owner: *owner }))
    }
}

pub(crate) struct Owner;

impl ObjectPermission<Note, Desk> for Owner {
    async fn has_object_permission(&self, _: &Desk, cx: &PermissionContext<'_, Member>, note: &Note) -> Result<bool> {
        Ok(cx.user().is_some_and(|member| member.id == note.owner))
    }
}
