//! A quick hash for the objects of one connection, of which there are never many. It is seeded anew in each process.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::OnceLock;

/// Builds hashers that begin with the seed of the process.
#[derive(Clone, Copy)]
pub(super) struct Seed(u64);

impl Default for Seed {
    fn default() -> Seed {
        static SEED: OnceLock<u64> = OnceLock::new();
        Seed(*SEED.get_or_init(|| RandomState::new().hash_one(())))
    }
}

impl BuildHasher for Seed {
    type Hasher = Folding;

    #[inline]
    fn build_hasher(&self) -> Folding {
        Folding(self.0)
    }
}

/// Takes in word after word: multiplies, and folds the two halves of the product into one.
pub(super) struct Folding(u64);

impl Hasher for Folding {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks();
        for word in words {
            self.write_u64(u64::from_le_bytes(*word));
        }
        if !rest.is_empty() {
            self.write_u64(rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)));
        }
        // Or a text and the same with zeros behind it would be one.
        self.write_u64(bytes.len() as u64);
    }

    #[inline]
    fn write_u64(&mut self, word: u64) {
        // Any odd number whose bits are mixed.
        let (low, high) = (self.0 ^ word).carrying_mul(0x9e37_79b9_7f4a_7c15, 0);
        self.0 = low ^ high;
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::ObjectKey;
    use super::*;

    #[test]
    fn ids_in_a_row_and_ids_that_are_alike_are_spread() {
        let seed = Seed::default();
        let texts = (0..1000).map(|n| ObjectKey::new("file", format!("0191c6f2-7d3e-7a52-9f0e-{n:012}")));
        let shifted = (0..64).map(|n| ObjectKey::new("bit", 1_u64 << n));
        let wide = (0..1000).map(|n| ObjectKey::new("wide", i128::from(n) << 64 | 1));
        for keys in [
            texts.collect::<Vec<_>>(),
            (0..1000).map(|n| ObjectKey::new("row", n)).collect(),
            shifted.collect(),
            wide.collect(),
        ] {
            let hashes: HashSet<_> = keys.iter().map(|key| seed.hash_one(key)).collect();
            assert_eq!(hashes.len(), keys.len(), "{:?}", keys[0]);
            // What a map takes for its buckets, and what it compares first.
            let low: HashSet<_> = hashes.iter().map(|hash| hash % 2048).collect();
            let high: HashSet<_> = hashes.iter().map(|hash| hash >> 57).collect();
            assert!(low.len() * 2 > keys.len() && high.len() > 16, "{:?}: {} {}", keys[0], low.len(), high.len());
        }
    }

    #[test]
    fn equal_keys_hash_alike() {
        let (seed, again) = (Seed::default(), Seed::default());
        assert_eq!(seed.hash_one(ObjectKey::new("a", 5_u8)), again.hash_one(ObjectKey::new("a", 5_i64)));
        assert_eq!(seed.hash_one(ObjectKey::new("a", "x")), again.hash_one(ObjectKey::new("a", "x".to_owned())));
    }
}
