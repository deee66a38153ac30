//! A seqlock: a copy of the first 128 bits of a connection's grants that is read without a lock and without touching a
//! reference count.
//!
//! Loading the snapshot with `ArcSwapOption::load` would do alone, but costs two to three times as much per check. Nanoseconds
//! per check on two virtual cores of a shared x86-64 machine (lower decile, but the median for `bench -- --checks`):
//!
//! | | seqlock | arc-swap |
//! |---|---:|---:|
//! | one connection, one thread | 2.8 | 8.7 |
//! | one connection, two threads | 5.0 | 14.8 |
//! | two connections, a thread each | 4.3 | 12.7 |
//! | 1000 connections in random order | 6.8 | 15.8 |
//! | 10000 connections in random order | 12.8 | 25.8 |
//! | `bench -- --checks`, `cx.may(uploads::read)` | 17 | 31 |

use super::grant_set::GrantSet;
use crate::sync::atomic::{AtomicU64, Ordering, fence};

/// A copy of the first bits of a grant set, and the epoch of the snapshot that they were copied from.
///
/// One writer at a time, any number of readers. A reader that overlaps a write gets `None` and reads the snapshot instead.
pub(super) struct GrantBits {
    epoch: AtomicU64,
    words: [AtomicU64; WORDS],
}

/// Marks a copy that is missing or being written. Epochs count from zero and do not reach it.
const NO_EPOCH: u64 = u64::MAX;
const WORDS: usize = 2;

impl GrantBits {
    pub(super) fn new() -> GrantBits {
        GrantBits { epoch: AtomicU64::new(NO_EPOCH), words: [(); WORDS].map(|()| AtomicU64::new(0)) }
    }

    /// Returns the bit at this index, or `None` if the copy is of another epoch or has fewer bits.
    #[inline]
    pub(super) fn get(&self, index: usize, epoch: u64) -> Option<bool> {
        let word = self.words.get(index / 64)?;
        if self.epoch.load(Ordering::Acquire) != epoch {
            return None;
        }
        let word = word.load(Ordering::Relaxed);
        // If the word is of a later copy, the load of the epoch below sees that the epoch has changed.
        fence(Ordering::Acquire);
        (self.epoch.load(Ordering::Relaxed) == epoch).then_some(word & (1 << (index % 64)) != 0)
    }

    /// Copies a set. Calls must not overlap; the load lock of the connection ensures that.
    pub(super) fn copy(&self, grants: &GrantSet, epoch: u64) {
        self.epoch.store(NO_EPOCH, Ordering::Relaxed);
        fence(Ordering::Release);
        for (index, word) in self.words.iter().enumerate() {
            word.store(grants.word(index), Ordering::Relaxed);
        }
        self.epoch.store(epoch, Ordering::Release);
    }
}

/// `session/loom_tests` documents how to run it.
#[cfg(loom)]
#[cfg(test)]
mod loom_tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;

    use loom::thread;

    use super::*;

    /// Two readers and one writer, in every order. Epoch 1 grants everything, epoch 0 nothing.
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
                    // Readers get epochs from elsewhere, so theirs may be older or newer than the copy.
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
            "no read succeeded: {answered:?}"
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
                    // Even epochs grant it, odd ones do not.
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
