//! The first codenames of one connection's grants, laid out to be read without a lock and without counting references.

use super::grant_set::GrantSet;
use crate::sync::atomic::{AtomicU64, Ordering, fence};

/// A copy of a grant set's first bits, and the epoch of the base that they were copied from.
///
/// Written by one at a time, read by many. A reader that meets a writer gets no answer and asks the base itself.
pub(super) struct GrantBits {
    epoch: AtomicU64,
    words: [AtomicU64; WORDS],
}

/// Nobody's epoch: stamps count from zero.
const NO_EPOCH: u64 = u64::MAX;
const WORDS: usize = 2;

impl GrantBits {
    pub(super) fn new() -> GrantBits {
        GrantBits { epoch: AtomicU64::new(NO_EPOCH), words: [(); WORDS].map(|()| AtomicU64::new(0)) }
    }

    /// Whether the bit at that index is set, if the copy is of this epoch and reaches so far.
    #[inline]
    pub(super) fn get(&self, index: usize, epoch: u64) -> Option<bool> {
        let word = self.words.get(index / 64)?;
        if self.epoch.load(Ordering::Acquire) != epoch {
            return None;
        }
        let word = word.load(Ordering::Relaxed);
        // A word of a later copy comes with a epoch that is not this one any more.
        fence(Ordering::Acquire);
        (self.epoch.load(Ordering::Relaxed) == epoch).then_some(word & (1 << (index % 64)) != 0)
    }

    /// Copies a set. Only one may do so at a time.
    pub(super) fn copy(&self, grants: &GrantSet, epoch: u64) {
        self.epoch.store(NO_EPOCH, Ordering::Relaxed);
        fence(Ordering::Release);
        for (index, word) in self.words.iter().enumerate() {
            word.store(grants.word(index), Ordering::Relaxed);
        }
        self.epoch.store(epoch, Ordering::Release);
    }
}

/// How to run it says `session/loom_tests`.
#[cfg(loom)]
#[cfg(test)]
mod loom_tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;

    use loom::thread;

    use super::*;

    /// Two read while one copies, in every order. Stamp 1 grants everything, and 0 nothing.
    #[test]
    fn reader_never_sees_bits_of_another_epoch() {
        let answered = [const { AtomicUsize::new(0) }; 2].map(Arc::new);
        let seen = answered.clone();
        loom::model(move || {
            let bits = Arc::new(GrantBits::new());
            bits.copy(&GrantSet::new(), 0);
            for (index, first) in [(3, 0), (64, 1)] {
                let (bits, seen) = (bits.clone(), seen.clone());
                thread::spawn(move || {
                    // Whoever looks knows of stamps from elsewhere, and may be behind, or ahead.
                    for (epoch, seen) in (0..).zip(&seen).skip(first) {
                        if let Some(granted) = bits.get(index, epoch) {
                            assert_eq!(granted, epoch == 1);
                            seen.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                });
            }
            bits.copy(&GrantSet::all(), 1);
        });
        assert!(
            answered.iter().all(|answered| answered.load(Ordering::Relaxed) > 0),
            "nobody was answered: {answered:?}"
        );
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::thread;

    use super::super::tests::fake_source::{READ, WRITE};
    use super::*;

    #[test]
    fn copy_equals_the_set_for_its_epoch_only() {
        let bits = GrantBits::new();
        let (read, write) = (READ.index().unwrap(), WRITE.index().unwrap());
        assert_eq!(bits.get(read, NO_EPOCH - 1), None);
        bits.copy(&READ.into(), 3);
        assert_eq!((bits.get(read, 3), bits.get(write, 3), bits.get(read, 4)), (Some(true), Some(false), None));
        bits.copy(&GrantSet::all(), 4);
        assert_eq!((bits.get(read, 4), bits.get(127, 4), bits.get(128, 4)), (Some(true), Some(true), None));
        bits.copy(&GrantSet::new(), 5);
        assert_eq!((bits.get(read, 5), bits.get(read, 4)), (Some(false), None));
    }

    #[test]
    fn reader_never_sees_bits_of_another_epoch() {
        let (bits, is_done) = (GrantBits::new(), AtomicBool::new(false));
        let read = READ.index().unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                for epoch in 0..200_000 {
                    // Even stamps grant it, odd ones do not.
                    bits.copy(&if epoch % 2 == 0 { READ.into() } else { GrantSet::new() }, epoch);
                }
                is_done.store(true, Ordering::SeqCst);
            });
            for _ in 0..2 {
                scope.spawn(|| {
                    while !is_done.load(Ordering::SeqCst) {
                        let epoch = bits.epoch.load(Ordering::SeqCst);
                        if let Some(granted) = bits.get(read, epoch).filter(|_| epoch != NO_EPOCH) {
                            assert_eq!(granted, epoch % 2 == 0);
                        }
                    }
                });
            }
        });
    }
}
