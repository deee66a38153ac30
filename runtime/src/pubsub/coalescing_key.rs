//! Coalescing keys: a newer queued event with an equal key may replace an older one.

use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::OnceLock;

/// A field that can be a coalescing key: one that implements `Hash` and `Eq`. The compiler infers the marker `K`. With two
/// implementations it reports a field that has neither once, by this trait.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a coalescing key",
    label = "not a coalescing key",
    note = "a key must implement `Hash` and `Eq`: derive `PartialEq`, `Eq` and `Hash` for the type of the field, or name another field"
)]
pub trait CoalescingKey<K> {
    /// Returns the hash of the key.
    fn hash_key(&self) -> Option<u64>;

    /// Returns whether the keys are equal.
    fn equals(&self, other: &Self) -> bool;
}

/// Marks keys that can be hashed and compared.
#[derive(Debug)]
pub struct ComparableKey;

/// Marks keys of types that no program has.
#[derive(Debug)]
pub struct NoKey;

impl<T: Hash + Eq + ?Sized> CoalescingKey<ComparableKey> for T {
    fn hash_key(&self) -> Option<u64> {
        hash_coalescing_key(self)
    }

    fn equals(&self, other: &Self) -> bool {
        self == other
    }
}

impl<T: Unimplemented + ?Sized> CoalescingKey<NoKey> for T {
    fn hash_key(&self) -> Option<u64> {
        None
    }

    fn equals(&self, _: &Self) -> bool {
        false
    }
}

/// Implemented by no type.
trait Unimplemented {}

/// Returns the hash of a coalescing key.
#[allow(clippy::unnecessary_wraps, reason = "the answer of a query, and chained by `Publication::handle`")]
pub(super) fn hash_coalescing_key<T: Hash + ?Sized>(coalescing_key: &T) -> Option<u64> {
    static SEED: OnceLock<RandomState> = OnceLock::new();
    Some(SEED.get_or_init(RandomState::new).hash_one(coalescing_key))
}

/// What is to be found out about the coalescing keys of events of type `E`. `key` borrows the key from an event.
pub trait KeyQuery<E> {
    /// The type of the answer.
    type Answer;

    /// Answers the query.
    fn answer<T: CoalescingKey<K> + ?Sized, K>(self, key: impl Fn(&E) -> &T) -> Self::Answer;
}

/// Asks for the hash of an event's key.
pub(super) struct KeyHash<'e, E>(pub(super) &'e E);

impl<E> KeyQuery<E> for KeyHash<'_, E> {
    type Answer = Option<u64>;

    fn answer<T: CoalescingKey<K> + ?Sized, K>(self, key: impl Fn(&E) -> &T) -> Option<u64> {
        key(self.0).hash_key()
    }
}

/// Asks whether the keys of two events are equal.
pub(super) struct KeyEquality<'e, E>(pub(super) &'e E, pub(super) &'e E);

impl<E> KeyQuery<E> for KeyEquality<'_, E> {
    type Answer = bool;

    fn answer<T: CoalescingKey<K> + ?Sized, K>(self, key: impl Fn(&E) -> &T) -> bool {
        key(self.0).equals(key(self.1))
    }
}

/// Answers a query about the keys that `key` borrows. Generated code names the field once, so that a missing or unsuitable
/// field is reported once.
pub fn answer_key_query<E, T: CoalescingKey<K> + ?Sized, K, Q: KeyQuery<E>>(
    query: Q,
    key: impl Fn(&E) -> &T,
) -> Option<Q::Answer> {
    Some(query.answer(key))
}
