//! The grants of one connection: its base, and what it may do with the objects that it has asked for.

use std::sync::Arc;

use super::cache::GrantCache;
use super::codename::Codename;
use super::object_key::ObjectKey;
use super::seqlock::GrantBits;
use super::snapshot::GrantSnapshot;
use crate::error::Result;
use crate::sync::ArcSwapOption;
use crate::sync::atomic::{AtomicU64, Ordering};

/// What one connection holds of its user's grants.
///
/// What most checks read stands in front.
#[repr(C)]
pub(crate) struct ConnectionGrants<U> {
    /// A copy of the base's first bits.
    bits: GrantBits,
    /// How often this connection was told to forget.
    forgotten: AtomicU64,
    cache: GrantCache<U>,
    base: ArcSwapOption<GrantSnapshot>,
    /// Held while the base is loaded, so that it is loaded once.
    loading: tokio::sync::Mutex<()>,
}

impl<U> ConnectionGrants<U> {
    pub(crate) fn new(cache: GrantCache<U>) -> ConnectionGrants<U> {
        let base = ArcSwapOption::empty();
        ConnectionGrants {
            cache,
            base,
            bits: GrantBits::new(),
            forgotten: AtomicU64::new(0),
            loading: tokio::sync::Mutex::const_new(()),
        }
    }

    /// The answer where it is known already.
    #[inline]
    pub(crate) fn known(&self, codename: Codename) -> Option<bool> {
        if let Some(known) = codename.index().and_then(|index| self.bits.get(index, self.stamp())) {
            return Some(known);
        }
        let base = self.base.load();
        base.as_ref().filter(|base| self.is_current(base)).map(|base| base.user.grants.contains(codename))
    }

    /// The answer for one object where it is known already.
    #[inline]
    pub(crate) fn known_on(&self, codename: Codename, object: &ObjectKey) -> Option<bool> {
        let base = self.base.load();
        base.as_ref().filter(|base| self.is_current(base))?.known(codename, object)
    }

    /// Whether the user may have a role: what is known says so, or says nothing of roles.
    pub(crate) fn may_have_role(&self, role: &str) -> bool {
        match &*self.base.load() {
            Some(base) if self.is_current(base) => {
                let roles = &base.user.roles;
                roles.is_empty() || roles.iter().any(|known| known == role)
            }
            // It is loaded anew, or is being loaded.
            _ => true,
        }
    }

    /// Reads ahead what most checks read.
    #[inline]
    pub(crate) fn fetch(&self) -> u64 {
        self.forgotten.load(Ordering::Relaxed)
    }

    /// Drops what is held: the next check loads anew.
    pub(crate) fn forget(&self) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
    }

    /// Whether nothing was forgotten since it began to load.
    #[inline]
    fn is_current(&self, base: &GrantSnapshot) -> bool {
        base.stamp == self.stamp()
    }

    /// Both numbers only rise: the sum is the same only while both are.
    #[inline]
    fn stamp(&self) -> u64 {
        self.cache.epoch().wrapping_add(self.forgotten.load(Ordering::SeqCst))
    }
}

impl<U: Send + Sync + 'static> ConnectionGrants<U> {
    /// Whether the user may.
    pub(crate) async fn may(&self, user: &U, codename: Codename) -> Result<bool> {
        match self.known(codename) {
            Some(known) => Ok(known),
            None => Ok(self.base(user).await?.user.grants.contains(codename)),
        }
    }

    /// Whether the user may, with every one of these objects.
    pub(crate) async fn may_on(
        &self,
        user: &U,
        user_id: &str,
        codename: Codename,
        objects: &[ObjectKey],
    ) -> Result<bool> {
        loop {
            let base = self.base(user).await?;
            if let Some(known) = base.known_on_all(codename, objects) {
                return Ok(known);
            }
            let entries = self.cache.find(objects).await?;
            let mut learned = objects.iter().zip(entries).map(|(object, entry)| base.learn(object, entry, user_id));
            let all = learned.try_fold(true, |all, grants| Some(all & grants?.contains(codename)));
            // What was forgotten meanwhile is looked up again.
            if let Some(all) = all.filter(|_| self.is_current(&base)) {
                return Ok(all);
            }
        }
    }

    /// The base, loaded if need be. One that was forgotten while it was loaded is loaded again.
    async fn base(&self, user: &U) -> Result<Arc<GrantSnapshot>> {
        loop {
            if let Some(base) = self.current() {
                return Ok(base);
            }
            let _loading = self.loading.lock().await;
            if self.current().is_none() {
                let stamp = self.stamp();
                let user = self.cache.source().user(user).await?;
                self.bits.copy(&user.grants, stamp);
                self.base.store(Some(Arc::new(GrantSnapshot::new(stamp, user))));
            }
        }
    }

    fn current(&self) -> Option<Arc<GrantSnapshot>> {
        self.base.load_full().filter(|base| self.is_current(base))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::super::tests::fake_source::{READ, Staged, WRITE, allowed, denied, key, keys};
    use super::super::{GrantSet, Overwrites};
    use super::*;

    fn held(staged: &Staged) -> ConnectionGrants<()> {
        ConnectionGrants::new(staged.cache())
    }

    fn may_on(held: &ConnectionGrants<()>, codename: Codename, ids: &[u32]) -> bool {
        held.may_on(&(), "7", codename, &keys(ids)).now_or_never().unwrap().unwrap()
    }

    #[test]
    fn grants_are_loaded_once_and_known_from_then_on() {
        let staged = Staged::held();
        staged.grant([READ]);
        let held = held(&staged);
        assert_eq!(held.known(READ), None);
        let mut asking: Vec<_> = (0..9).map(|_| Box::pin(held.may(&(), READ))).collect();
        assert!(asking.iter_mut().all(|one| one.now_or_never().is_none()));
        staged.let_go(9);
        assert!(asking.iter_mut().all(|one| one.now_or_never().unwrap().unwrap()));
        assert_eq!((held.known(READ), held.known(WRITE)), (Some(true), Some(false)));
        assert_eq!(staged.loads(), 1);
    }

    #[test]
    fn a_failure_is_not_remembered() {
        let staged = Staged::open();
        staged.grant([READ]);
        staged.broken.store(true, Ordering::SeqCst);
        let held = held(&staged);
        for _ in 0..2 {
            assert!(held.may(&(), READ).now_or_never().unwrap().is_err());
            assert!(held.may_on(&(), "7", READ, &keys(&[1])).now_or_never().unwrap().is_err());
        }
        assert_eq!(held.known(READ), None);
        staged.broken.store(false, Ordering::SeqCst);
        assert!(held.may(&(), READ).now_or_never().unwrap().unwrap());
        assert_eq!(staged.loads(), 5);
    }

    #[test]
    fn who_gives_up_leaves_the_loading_to_the_next() {
        let staged = Staged::held();
        staged.grant([READ]);
        let held = held(&staged);
        let mut first = Box::pin(held.may(&(), READ));
        let mut second = Box::pin(held.may(&(), READ));
        assert!((&mut first).now_or_never().is_none() && (&mut second).now_or_never().is_none());
        drop(first);
        staged.let_go(1);
        assert!((&mut second).now_or_never().unwrap().unwrap());
        assert_eq!(staged.loads(), 2);
    }

    #[test]
    fn nothing_passes_on_grants_that_were_forgotten_while_they_were_loaded() {
        let ways: [fn(&ConnectionGrants<()>); 2] = [ConnectionGrants::forget, |held| held.cache.forget_all()];
        for forget in ways {
            let staged = Staged::held();
            staged.grant([READ]);
            let held = held(&staged);
            let mut asking = Box::pin(held.may(&(), READ));
            assert!((&mut asking).now_or_never().is_none());
            staged.grant([]);
            forget(&held);
            staged.let_go(1);
            assert!((&mut asking).now_or_never().is_none());
            assert_eq!(held.known(READ), None);
            staged.let_go(1);
            assert!(!asking.now_or_never().unwrap().unwrap());
            assert_eq!(staged.loads(), 2);
        }
    }

    #[test]
    fn one_connection_forgets_alone_and_the_cache_for_all() {
        let staged = Staged::open();
        let cache = staged.cache();
        let (one, other) = (ConnectionGrants::new(cache.clone()), ConnectionGrants::new(cache.clone()));
        let known = || (one.known(READ), other.known(READ));
        let load = || [&one, &other].map(|held| held.may(&(), READ).now_or_never().unwrap().unwrap());
        load();
        one.forget();
        assert_eq!(known(), (None, Some(false)));
        load();
        cache.forget_all();
        assert_eq!(known(), (None, None));
        load();
        assert_eq!((known(), staged.loads()), ((Some(false), Some(false)), 5));
    }

    #[test]
    fn what_objects_overwrite_is_loaded_together_and_known_from_then_on() {
        let staged = Staged::open();
        staged.grant([READ]);
        staged.set(2, denied(READ));
        staged.set(3, allowed(WRITE));
        let held = held(&staged);
        assert_eq!(held.known_on(READ, &key(1)), None);
        assert!(!may_on(&held, READ, &[1, 2, 3]));
        assert_eq!(staged.asked(), [keys(&[1, 2, 3])]);
        assert!(may_on(&held, READ, &[3, 1]) && may_on(&held, WRITE, &[3]) && !may_on(&held, WRITE, &[1, 3]));
        let known = [1, 2, 3].map(|id| held.known_on(READ, &key(id)));
        assert_eq!(known, [Some(true), Some(false), Some(true)]);
        assert_eq!(held.known_on(WRITE, &key(4)), None);
        assert!(may_on(&held, READ, &[1, 4]));
        assert_eq!(staged.asked()[1..], [keys(&[4])]);
    }

    #[test]
    fn one_no_is_enough() {
        let staged = Staged::open();
        let held = held(&staged);
        assert!(!may_on(&held, READ, &[1]));
        assert!(!may_on(&held, READ, &[2, 1]));
        assert_eq!(staged.asked(), [keys(&[1])]);
    }

    #[test]
    fn an_administrator_never_asks_what_objects_overwrite() {
        let staged = Staged::open();
        staged.user.lock().unwrap().grants = GrantSet::all();
        staged.set(1, denied(READ));
        let held = held(&staged);
        assert!(may_on(&held, READ, &[1, 2]));
        assert_eq!(held.known_on(READ, &key(3)), Some(true));
        assert!(staged.asked().is_empty());
    }

    #[test]
    fn a_forgotten_object_is_looked_up_again() {
        let staged = Staged::open();
        let held = held(&staged);
        assert!(!may_on(&held, READ, &[1]));
        staged.set(1, allowed(READ));
        held.cache.forget_object(&key(1));
        assert_eq!(held.known_on(READ, &key(1)), None);
        assert!(may_on(&held, READ, &[1]));
        assert_eq!(held.known_on(READ, &key(1)), Some(true));
    }

    #[test]
    fn new_grants_drop_what_was_computed_from_the_old_ones() {
        let staged = Staged::open();
        staged.grant([READ]);
        staged.set(1, Overwrites::new().allow_role("editor", WRITE));
        let held = held(&staged);
        assert!(may_on(&held, READ, &[1]) && !may_on(&held, WRITE, &[1]));
        staged.grant([]);
        staged.user.lock().unwrap().roles = vec!["editor".to_owned()];
        held.forget();
        assert_eq!(held.known_on(READ, &key(1)), None);
        assert!(!may_on(&held, READ, &[1]) && may_on(&held, WRITE, &[1]));
        // What the object overwrites is the same.
        assert_eq!(staged.asked(), [keys(&[1])]);
    }

    #[test]
    fn nothing_passes_on_what_was_forgotten_while_an_object_was_loaded() {
        let staged = Staged::held();
        staged.grant([READ]);
        let held = held(&staged);
        staged.let_go(1);
        assert!(held.may(&(), READ).now_or_never().unwrap().unwrap());
        let objects = keys(&[1]);
        let mut asking = Box::pin(held.may_on(&(), "7", READ, &objects));
        assert!((&mut asking).now_or_never().is_none());
        staged.grant([]);
        held.forget();
        staged.let_go(1);
        assert!((&mut asking).now_or_never().is_none());
        staged.let_go(1);
        assert!(!asking.now_or_never().unwrap().unwrap());
        assert_eq!((staged.loads(), staged.asked().len()), (2, 1));
    }

    #[test]
    fn only_so_many_objects_are_kept() {
        let staged = Staged::open();
        staged.grant([READ]);
        let held = held(&staged);
        for id in 0..1500 {
            assert!(may_on(&held, READ, &[id]));
        }
        let kept = (0..1500).filter(|id| held.known_on(READ, &key(*id)).is_some()).count();
        assert!(kept > 0 && kept <= GrantSnapshot::MOST, "{kept}");
        let all: Vec<_> = (0..3000).collect();
        assert!(may_on(&held, READ, &all) && !may_on(&held, WRITE, &all));
    }
}
