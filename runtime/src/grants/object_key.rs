//! Identifies the object that a codename is evaluated for.

use std::fmt;
use std::hash::{Hash, Hasher};

/// Identifies one object of the application: its kind and its id.
///
/// Overwrites are loaded and cached per key. [`GrantKey`](crate::GrantKey) derives the key from an action's argument, and
/// [`GrantCache::forget_object`](crate::GrantCache::forget_object) takes it after a change.
///
/// ```
/// use portcullis::ObjectKey;
///
/// let key = ObjectKey::new("channel", 5_u64);
/// assert_eq!((key.kind(), key.id().to_string()), ("channel", "5".to_owned()));
/// // Integers of all types are the same id; text is another one.
/// assert_eq!(key, ObjectKey::new("channel", 5_i32));
/// assert_ne!(key, ObjectKey::new("channel", "5"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectKey {
    kind: &'static str,
    id: ObjectId,
}

impl ObjectKey {
    /// Creates the key of the object with this kind and id.
    pub fn new(kind: &'static str, id: impl Into<ObjectId>) -> ObjectKey {
        ObjectKey { kind, id: id.into() }
    }

    /// Returns the kind of the object, a word that the application chooses, for example `"channel"`.
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// Returns the id, unique among objects of the same kind.
    pub fn id(&self) -> &ObjectId {
        &self.id
    }
}

// Hashes the id alone: equal ids of different kinds cost one comparison, hashing the kind would cost more per lookup.
impl Hash for ObjectKey {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        match &self.id {
            ObjectId::Number(id) => state.write(&id.to_le_bytes()),
            ObjectId::Text(id) => state.write(id.as_bytes()),
        }
    }
}

/// The id of an object. Integers of all types compare by value: `5_u64` and `5_i32` are the same id.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ObjectId {
    /// An integer. Every integer type but `u128` converts into it.
    Number(i128),
    /// Text. `"5"` is a different id than the integer 5.
    Text(Box<str>),
}

impl ObjectId {
    /// Returns the number of bytes that the id owns on the heap.
    pub(super) fn heap_bytes(&self) -> usize {
        match self {
            ObjectId::Number(_) => 0,
            ObjectId::Text(text) => text.len(),
        }
    }
}

macro_rules! impl_from_integers {
    ($($integer:ty),+) => {
        $(impl From<$integer> for ObjectId {
            fn from(id: $integer) -> ObjectId {
                ObjectId::Number(id.into())
            }
        })+
    };
}

impl_from_integers!(u8, u16, u32, u64, i8, i16, i32, i64, i128);

// The standard library has no `From<usize>` or `From<isize>` for `i128`. No pointer is wider than 64 bits.
impl From<usize> for ObjectId {
    fn from(id: usize) -> ObjectId {
        ObjectId::Number(id as i128)
    }
}

impl From<isize> for ObjectId {
    fn from(id: isize) -> ObjectId {
        ObjectId::Number(id as i128)
    }
}

impl From<&str> for ObjectId {
    fn from(id: &str) -> ObjectId {
        ObjectId::Text(id.into())
    }
}

impl From<String> for ObjectId {
    fn from(id: String) -> ObjectId {
        ObjectId::Text(id.into())
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ObjectId::Number(id) => id.fmt(f),
            ObjectId::Text(id) => id.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::hash::{BuildHasher, RandomState};

    use super::*;

    #[test]
    fn integers_of_all_types_are_the_same_id() {
        let five = ObjectKey::new("channel", 5_u64);
        assert_eq!(five, ObjectKey::new("channel", 5_i32));
        assert_eq!(five, ObjectKey::new("channel", 5_usize));
        assert_ne!(five, ObjectKey::new("channel", "5"));
        assert_ne!(five, ObjectKey::new("folder", 5));
        assert_ne!(ObjectId::from(u64::MAX), ObjectId::from(-1_isize));
        assert_eq!(ObjectId::from("a"), ObjectId::from("a".to_owned()));
        assert_eq!((five.kind(), five.id().to_string().as_str()), ("channel", "5"));
        assert_eq!(ObjectId::from("a").to_string(), "a");
    }

    #[test]
    fn equal_keys_have_equal_hashes() {
        let state = RandomState::new();
        assert_eq!(state.hash_one(ObjectKey::new("a", 5_u8)), state.hash_one(ObjectKey::new("a", 5_i64)));
        assert_eq!(state.hash_one(ObjectKey::new("a", "x")), state.hash_one(ObjectKey::new("a", "x".to_owned())));
    }
}
