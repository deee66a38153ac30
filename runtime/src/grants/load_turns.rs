//! The turns in which users are loaded: a bounded number of loads at once, and each user that waits gets a turn before any
//! gets a second one.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::sync::{ignore_poison, oneshot};

/// Grants the permits to load users.
pub(super) struct LoadTurns {
    /// Protects who runs and who waits. No other lock is taken and no user code runs under it.
    state: Mutex<TurnState>,
}

struct TurnState {
    max_loads: usize,
    running: usize,
    /// The users that wait, in the order of their next turn.
    users: VecDeque<Arc<str>>,
    /// The loads that wait, per user. Never empty.
    waiting: HashMap<Arc<str>, VecDeque<oneshot::Sender<LoadPermit>>>,
}

/// The permit for one load. The next load gets its turn when it is dropped.
pub(super) struct LoadPermit(Option<Arc<LoadTurns>>);

impl LoadTurns {
    pub(super) fn new() -> Arc<LoadTurns> {
        Arc::new(LoadTurns {
            state: Mutex::new(TurnState {
                max_loads: usize::MAX,
                running: 0,
                users: VecDeque::new(),
                waiting: HashMap::new(),
            }),
        })
    }

    /// Lowers the number of concurrent loads to `max_loads`, but not below one.
    pub(super) fn limit(&self, max_loads: usize) {
        let mut state = self.lock_state();
        state.max_loads = state.max_loads.min(max_loads.max(1));
    }

    /// Waits for a turn of this user.
    ///
    /// # Cancel safety
    ///
    /// A waiter that is dropped loses its place, and no permit.
    pub(super) async fn acquire(self: &Arc<Self>, user_id: &str) -> LoadPermit {
        let turn = {
            let mut state = self.lock_state();
            if state.running < state.max_loads {
                state.running += 1;
                return LoadPermit(Some(self.clone()));
            }
            let (sender, turn) = oneshot::channel();
            state.enqueue(user_id, sender);
            turn
        };
        // A sender is dropped with the turns only, which this call keeps alive.
        turn.await.unwrap_or(LoadPermit(None))
    }

    fn release(self: &Arc<Self>) {
        let mut state = self.lock_state();
        state.running -= 1;
        while state.running < state.max_loads {
            let Some(sender) = state.next_turn() else { return };
            // The waiter may be gone. The permit is then defused, because its `Drop` takes the lock.
            match sender.send(LoadPermit(Some(self.clone()))) {
                Ok(()) => state.running += 1,
                Err(mut permit) => permit.0 = None,
            }
        }
    }

    fn lock_state(&self) -> MutexGuard<'_, TurnState> {
        ignore_poison(self.state.lock())
    }
}

impl TurnState {
    fn enqueue(&mut self, user_id: &str, sender: oneshot::Sender<LoadPermit>) {
        if let Some(loads) = self.waiting.get_mut(user_id) {
            return loads.push_back(sender);
        }
        let user_id = Arc::<str>::from(user_id);
        self.users.push_back(user_id.clone());
        self.waiting.insert(user_id, VecDeque::from([sender]));
    }

    /// Removes and returns the next load of the user whose turn it is. The user goes to the end if more of its loads wait.
    fn next_turn(&mut self) -> Option<oneshot::Sender<LoadPermit>> {
        let user_id = self.users.pop_front()?;
        let loads = self.waiting.get_mut(&user_id)?;
        let sender = loads.pop_front();
        if loads.is_empty() {
            self.waiting.remove(&user_id);
        } else {
            self.users.push_back(user_id);
        }
        sender
    }
}

impl Drop for LoadPermit {
    fn drop(&mut self) {
        if let Some(turns) = self.0.take() {
            turns.release();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;

    use futures_util::FutureExt;

    use super::*;

    type Turn<'a> = Pin<Box<dyn Future<Output = LoadPermit> + 'a>>;

    fn wait<'a>(turns: &'a Arc<LoadTurns>, user_id: &'a str) -> Turn<'a> {
        let mut turn = Box::pin(turns.acquire(user_id));
        assert!((&mut turn).now_or_never().is_none(), "{user_id} did not wait");
        turn
    }

    #[test]
    fn users_take_turns() {
        let turns = LoadTurns::new();
        turns.limit(1);
        let mut permit = turns.acquire("a").now_or_never().unwrap();
        let mut waiting: Vec<(&str, Turn<'_>)> =
            ["a", "a", "a", "b", "c", "b"].map(|user_id| (user_id, wait(&turns, user_id))).into();
        let mut order = Vec::new();
        while !waiting.is_empty() {
            drop(permit);
            let next = waiting.iter_mut().position(|(_, turn)| {
                let granted = turn.now_or_never();
                let is_granted = granted.is_some();
                // Forgotten here and released below, so that one poll grants one turn.
                std::mem::forget(granted);
                is_granted
            });
            order.push(waiting.remove(next.unwrap()).0);
            permit = LoadPermit(Some(turns.clone()));
        }
        assert_eq!(order, ["a", "b", "c", "a", "b", "a"]);
        drop(permit);
        assert_eq!(turns.lock_state().running, 0);
    }

    #[test]
    fn cancelled_waiter_takes_no_permit() {
        let turns = LoadTurns::new();
        turns.limit(1);
        let permit = turns.acquire("a").now_or_never().unwrap();
        let (cancelled, granted, mut last) = (wait(&turns, "b"), wait(&turns, "c"), wait(&turns, "d"));
        drop(cancelled);
        drop(permit);
        // The turn has been granted, and is given back unused.
        drop(granted);
        drop((&mut last).now_or_never().unwrap());
        let state = turns.lock_state();
        assert!(state.running == 0 && state.users.is_empty() && state.waiting.is_empty());
    }
}
