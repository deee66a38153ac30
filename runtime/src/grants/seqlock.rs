//! The first codenames of one connection's grants, laid out to be read without a lock and without counting references.

use super::grant_set::GrantSet;
use crate::sync::atomic::{AtomicU64, Ordering, fence};

/// A copy of a grant set's first bits, and the stamp of the base that they were copied from.
///
/// Written by one at a time, read by many. A reader that meets a writer gets no answer and asks the base itself.
pub(super) struct GrantBits {
    stamp: AtomicU64,
    words: [AtomicU64; WORDS],
}

/// Nobody's stamp: stamps count from zero.
const NONE: u64 = u64::MAX;
const WORDS: usize = 2;

impl GrantBits {
    pub(super) fn new() -> GrantBits {
        GrantBits { stamp: AtomicU64::new(NONE), words: [(); WORDS].map(|()| AtomicU64::new(0)) }
    }

    /// Whether the bit at that index is set, if the copy is of this stamp and reaches so far.
    #[inline]
    pub(super) fn get(&self, index: usize, stamp: u64) -> Option<bool> {
        let word = self.words.get(index / 64)?;
        if self.stamp.load(Ordering::Acquire) != stamp {
            return None;
        }
        let word = word.load(Ordering::Relaxed);
        // A word of a later copy comes with a stamp that is not this one any more.
        fence(Ordering::Acquire);
        (self.stamp.load(Ordering::Relaxed) == stamp).then_some(word & (1 << (index % 64)) != 0)
    }

    /// Copies a set. Only one may do so at a time.
    pub(super) fn copy(&self, grants: &GrantSet, stamp: u64) {
        self.stamp.store(NONE, Ordering::Relaxed);
        fence(Ordering::Release);
        for (place, word) in self.words.iter().enumerate() {
            word.store(grants.word(place), Ordering::Relaxed);
        }
        self.stamp.store(stamp, Ordering::Release);
    }
}

/// How to run it says `session/loom_tests`.
#[cfg(loom)]
#[cfg(test)]
mod model {
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;

    use loom::thread;

    use super::*;

    /// Two read while one copies, in every order. Stamp 1 grants everything, and 0 nothing.
    #[test]
    fn a_reader_never_sees_bits_of_another_stamp() {
        let known = [const { AtomicUsize::new(0) }; 2].map(Arc::new);
        let seen = known.clone();
        loom::model(move || {
            let bits = Arc::new(GrantBits::new());
            bits.copy(&GrantSet::new(), 0);
            for (index, first) in [(3, 0), (64, 1)] {
                let (bits, seen) = (bits.clone(), seen.clone());
                thread::spawn(move || {
                    // Whoever looks knows of stamps from elsewhere, and may be behind, or ahead.
                    for (stamp, seen) in (0..).zip(&seen).skip(first) {
                        if let Some(granted) = bits.get(index, stamp) {
                            assert_eq!(granted, stamp == 1);
                            seen.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                });
            }
            bits.copy(&GrantSet::all(), 1);
        });
        assert!(known.iter().all(|known| known.load(Ordering::Relaxed) > 0), "nobody was answered: {known:?}");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::thread;

    use super::super::tests::fake_source::{READ, WRITE};
    use super::*;

    #[test]
    fn a_copy_says_what_the_set_says_while_its_stamp_is_the_same() {
        let bits = GrantBits::new();
        let (read, write) = (READ.index().unwrap(), WRITE.index().unwrap());
        assert_eq!(bits.get(read, NONE - 1), None);
        bits.copy(&READ.into(), 3);
        assert_eq!((bits.get(read, 3), bits.get(write, 3), bits.get(read, 4)), (Some(true), Some(false), None));
        bits.copy(&GrantSet::all(), 4);
        assert_eq!((bits.get(read, 4), bits.get(127, 4), bits.get(128, 4)), (Some(true), Some(true), None));
        bits.copy(&GrantSet::new(), 5);
        assert_eq!((bits.get(read, 5), bits.get(read, 4)), (Some(false), None));
    }

    #[test]
    fn a_reader_never_sees_bits_of_another_stamp() {
        let (bits, done) = (GrantBits::new(), AtomicBool::new(false));
        let read = READ.index().unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                for stamp in 0..200_000 {
                    // Even stamps grant it, odd ones do not.
                    bits.copy(&if stamp % 2 == 0 { READ.into() } else { GrantSet::new() }, stamp);
                }
                done.store(true, Ordering::SeqCst);
            });
            for _ in 0..2 {
                scope.spawn(|| {
                    while !done.load(Ordering::SeqCst) {
                        let stamp = bits.stamp.load(Ordering::SeqCst);
                        if let Some(granted) = bits.get(read, stamp).filter(|_| stamp != NONE) {
                            assert_eq!(granted, stamp % 2 == 0);
                        }
                    }
                });
            }
        });
    }
}
