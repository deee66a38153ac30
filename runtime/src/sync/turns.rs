//! Turns: a bounded number of permits, in all and per key, that are granted to the keys in turn.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::Arc;
use std::sync::{Mutex, MutexGuard};

use super::{ignore_poison, oneshot};

/// Grants permits per key of type `K`, for example a user: each key that waits gets a permit before any gets a second one.
pub(crate) struct Turns<K: Eq + Hash + Clone> {
    /// Protects who runs and who waits. No other lock is taken under it.
    state: Mutex<TurnState<K>>,
}

struct TurnState<K: Eq + Hash + Clone> {
    max_permits: usize,
    max_per_key: usize,
    granted: usize,
    /// The keys with a permit or a waiter.
    keys: HashMap<K, KeyState<K>>,
    /// The keys with a waiter and less than `max_per_key` permits, in the order of their next turn.
    ready: VecDeque<K>,
}

struct KeyState<K: Eq + Hash + Clone> {
    granted: usize,
    waiting: VecDeque<oneshot::Sender<Permit<K>>>,
    is_ready: bool,
}

/// A permit. The next waiter gets its turn when it is dropped.
pub(crate) struct Permit<K: Eq + Hash + Clone>(Option<(Arc<Turns<K>>, K)>);

impl<K: Eq + Hash + Clone> Turns<K> {
    pub(crate) fn new(max_permits: usize, max_per_key: usize) -> Arc<Turns<K>> {
        let (keys, ready) = (HashMap::new(), VecDeque::new());
        Arc::new(Turns { state: Mutex::new(TurnState { max_permits, max_per_key, granted: 0, keys, ready }) })
    }

    /// Lowers the number of permits, but not below one.
    pub(crate) fn limit(&self, max_permits: usize) {
        let mut state = self.lock_state();
        state.max_permits = state.max_permits.min(max_permits.max(1));
    }

    /// Waits for a turn of this key.
    ///
    /// # Cancel safety
    ///
    /// A waiter that is dropped loses its place, and no permit.
    pub(crate) async fn acquire(self: &Arc<Self>, key: K) -> Permit<K> {
        let turn = {
            let mut state = self.lock_state();
            if state.try_grant(&key) {
                return Permit(Some((self.clone(), key)));
            }
            state.enqueue(&key)
        };
        // A sender is dropped with the turns only, which this call keeps alive.
        turn.await.unwrap_or(Permit(None))
    }

    fn release(self: &Arc<Self>, key: &K) {
        let mut state = self.lock_state();
        state.give_back(key);
        while let Some((key, sender)) = state.next_turn() {
            // The waiter may be gone. The permit is then defused, because its `Drop` takes the lock.
            if let Err(mut permit) = sender.send(Permit(Some((self.clone(), key.clone())))) {
                permit.0 = None;
                state.give_back(&key);
            }
        }
    }

    fn lock_state(&self) -> MutexGuard<'_, TurnState<K>> {
        ignore_poison(self.state.lock())
    }
}

impl<K: Eq + Hash + Clone> TurnState<K> {
    /// Grants a permit if one is left for the key. It overtakes no waiter: while a permit is left, no waiter may have it.
    fn try_grant(&mut self, key: &K) -> bool {
        if self.granted >= self.max_permits || self.max_per_key == 0 {
            return false;
        }
        let state = self.keys.entry(key.clone()).or_default();
        if state.granted >= self.max_per_key {
            return false;
        }
        state.granted += 1;
        self.granted += 1;
        true
    }

    fn enqueue(&mut self, key: &K) -> oneshot::Receiver<Permit<K>> {
        let (sender, turn) = oneshot::channel();
        self.keys.entry(key.clone()).or_default().waiting.push_back(sender);
        self.update_ready(key);
        turn
    }

    fn give_back(&mut self, key: &K) {
        self.granted -= 1;
        if let Some(state) = self.keys.get_mut(key) {
            state.granted -= 1;
        }
        self.update_ready(key);
    }

    /// Grants a permit to the key whose turn it is. Returns its oldest waiter.
    fn next_turn(&mut self) -> Option<(K, oneshot::Sender<Permit<K>>)> {
        if self.granted >= self.max_permits {
            return None;
        }
        let key = self.ready.pop_front()?;
        let state = self.keys.get_mut(&key)?;
        state.is_ready = false;
        let sender = state.waiting.pop_front()?;
        state.granted += 1;
        self.granted += 1;
        self.update_ready(&key);
        Some((key, sender))
    }

    /// Puts a key at the end of the turns if it can have one, and removes it if it has neither permit nor waiter.
    fn update_ready(&mut self, key: &K) {
        let Some(state) = self.keys.get_mut(key) else { return };
        if !state.waiting.is_empty() {
            if !state.is_ready && state.granted < self.max_per_key {
                state.is_ready = true;
                self.ready.push_back(key.clone());
            }
        } else if state.granted == 0 {
            self.keys.remove(key);
        }
    }
}

impl<K: Eq + Hash + Clone> Default for KeyState<K> {
    fn default() -> Self {
        KeyState { granted: 0, waiting: VecDeque::new(), is_ready: false }
    }
}

impl<K: Eq + Hash + Clone> Drop for Permit<K> {
    fn drop(&mut self) {
        if let Some((turns, key)) = self.0.take() {
            turns.release(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;

    use futures_util::FutureExt;

    use super::*;

    type Turn<'a> = Pin<Box<dyn Future<Output = Permit<&'static str>> + 'a>>;

    fn wait<'a>(turns: &'a Arc<Turns<&'static str>>, key: &'static str) -> Turn<'a> {
        let mut turn: Turn<'a> = Box::pin(turns.acquire(key));
        assert!((&mut turn).now_or_never().is_none(), "{key} did not wait");
        turn
    }

    fn assert_unused(turns: &Turns<&'static str>) {
        let state = turns.lock_state();
        assert!(state.granted == 0 && state.keys.is_empty() && state.ready.is_empty());
    }

    #[test]
    fn keys_take_turns() {
        let turns = Turns::new(1, 1);
        let mut permit = turns.acquire("a").now_or_never();
        let mut waiting: Vec<_> = ["a", "a", "a", "b", "c", "b"].map(|key| (key, wait(&turns, key))).into();
        let mut order = Vec::new();
        while permit.take().is_some() {
            let granted =
                waiting.iter_mut().enumerate().find_map(|(index, (_, turn))| Some((index, turn.now_or_never()?)));
            if let Some((index, next)) = granted {
                permit = Some(next);
                order.push(waiting.remove(index).0);
            }
        }
        // "a" is ready again only after its first permit was dropped.
        assert_eq!(order, ["b", "c", "a", "b", "a", "a"]);
        assert_unused(&turns);
    }

    #[test]
    fn key_with_all_itspermits_delays_no_other_key() {
        let turns = Turns::new(3, 2);
        let permits = [(); 2].map(|()| turns.acquire("a").now_or_never().unwrap());
        let mut third = wait(&turns, "a");
        let other = turns.acquire("b").now_or_never().unwrap();
        drop(other);
        assert!((&mut third).now_or_never().is_none());
        drop(permits);
        assert!((&mut third).now_or_never().is_some());
        assert_unused(&turns);
    }

    #[test]
    fn cancelled_waiter_takes_no_permit() {
        let turns = Turns::new(1, 1);
        let permit = turns.acquire("a").now_or_never();
        let (cancelled, granted, mut last) = (wait(&turns, "b"), wait(&turns, "c"), wait(&turns, "d"));
        drop(cancelled);
        drop(permit);
        // The turn has been granted, and is given back unused.
        drop(granted);
        drop((&mut last).now_or_never().unwrap());
        assert_unused(&turns);
    }
}
