//! A set of codenames as a bit set: a membership test is one load and one mask.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Mutex;

use smallvec::SmallVec;

use super::codename::{self, Codename};

use crate::panic::log_entry;
use crate::sync::ignore_poison;

/// A set of codenames: those that a user is granted, or those that an [`Overwrites`](crate::Overwrites) step allows or
/// denies.
///
/// The default is the empty set. [`GrantSet::all`] is the administrator's set: it contains every codename, and no overwrite
/// of an object restricts it.
///
/// ```standalone_crate
/// use portcullis::GrantSet;
///
/// portcullis::permissions! {
///     uploads {
///         read = "Sees uploads",
///         write = "Uploads files",
///     }
/// }
///
/// // Names as a role table stores them. A name that the program does not declare grants nothing.
/// let mut grants = GrantSet::from_names(["uploads.read"]);
/// assert!(grants.contains(uploads::read) && !grants.contains(uploads::write));
/// grants.insert(uploads::write);
/// assert_eq!(grants, GrantSet::from([uploads::read, uploads::write]));
/// grants.deny(&uploads::read.into());
/// assert!(grants.iter().eq([uploads::write]));
/// ```
#[derive(Clone, PartialEq, Eq, Default)]
pub struct GrantSet {
    /// Whether this is the administrator's set. If so, no bit is set.
    all: bool,
    /// One bit per codename, at its index. The last word is never zero, so that equal sets have equal words.
    words: SmallVec<[u64; 2]>,
}

impl GrantSet {
    /// Creates an empty set.
    pub fn new() -> GrantSet {
        GrantSet::default()
    }

    /// Creates the administrator's set: every codename, including those that the program does not know yet.
    pub fn all() -> GrantSet {
        GrantSet { all: true, words: SmallVec::new() }
    }

    /// Creates the set of the codenames with these names. A name that the program does not declare is ignored, and logged
    /// once as a warning.
    ///
    /// Without the feature `registry` a codename is registered when it is first used. Until then its name is kept, and
    /// the set contains the codename from its registration on. At most 4096 such names are kept.
    pub fn from_names(names: impl IntoIterator<Item: AsRef<str>>) -> GrantSet {
        let mut set = GrantSet::new();
        for name in names {
            let name = name.as_ref();
            match codename::index_of(name) {
                Some(index) => set.insert_at(index),
                None => UNKNOWN_NAMES.warn_once(name),
            }
        }
        set
    }

    /// Returns whether this is the administrator's set. A set that lists every codename one by one is not.
    pub fn is_all(&self) -> bool {
        self.all
    }

    /// Returns whether the set contains no codename.
    pub fn is_empty(&self) -> bool {
        !self.all && self.words.is_empty()
    }

    /// Returns whether the set contains this codename.
    #[inline]
    pub fn contains(&self, codename: Codename) -> bool {
        self.all
            || codename.index().is_some_and(|index| {
                self.words.get(index / WORD_BITS).is_some_and(|word| word & (1 << (index % WORD_BITS)) != 0)
            })
    }

    /// Returns the 64 bits that start at bit `index * 64`.
    pub(super) fn word(&self, index: usize) -> u64 {
        if self.all { u64::MAX } else { self.words.get(index).copied().unwrap_or(0) }
    }

    /// Adds a codename. Does nothing if another declaration has the same name.
    pub fn insert(&mut self, codename: Codename) {
        if let Some(index) = codename.index().filter(|_| !self.all) {
            self.insert_at(index);
        }
    }

    fn insert_at(&mut self, index: usize) {
        if self.words.len() <= index / WORD_BITS {
            self.words.resize(index / WORD_BITS + 1, 0);
        }
        self.words[index / WORD_BITS] |= 1 << (index % WORD_BITS);
    }

    /// Removes a codename. If the set is [`all`](GrantSet::all), the other codenames that the program knows remain.
    pub fn remove(&mut self, codename: Codename) {
        self.expand_all();
        self.deny(&GrantSet::from_iter([codename]));
    }

    /// Adds every codename of the other set. If either set is [`all`](GrantSet::all), the result is.
    pub fn allow(&mut self, other: &GrantSet) {
        if self.all || other.all {
            return *self = GrantSet::all();
        }
        if self.words.len() < other.words.len() {
            self.words.resize(other.words.len(), 0);
        }
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word |= other;
        }
    }

    /// Removes every codename of the other set. If this set is [`all`](GrantSet::all) and the other one is not empty, the
    /// remaining codenames that the program knows are left. If the other set is `all`, nothing is left.
    pub fn deny(&mut self, other: &GrantSet) {
        if other.all {
            return *self = GrantSet::new();
        }
        if !other.is_empty() {
            self.expand_all();
        }
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= !other;
        }
        while self.words.last() == Some(&0) {
            self.words.pop();
        }
    }

    /// Replaces [`all`](GrantSet::all) by the codenames that the program knows.
    fn expand_all(&mut self) {
        if self.all {
            *self = codename::grantable_codenames().into_iter().collect();
        }
    }

    /// Returns the codenames of the set, sorted by name; for [`all`](GrantSet::all), the codenames that the program knows.
    pub fn iter(&self) -> impl Iterator<Item = Codename> {
        codename::grantable_codenames().into_iter().filter(|codename| self.contains(*codename))
    }
}

/// Number of bits per word.
const WORD_BITS: usize = u64::BITS as usize;

impl Extend<Codename> for GrantSet {
    fn extend<I: IntoIterator<Item = Codename>>(&mut self, codenames: I) {
        codenames.into_iter().for_each(|codename| self.insert(codename));
    }
}

impl FromIterator<Codename> for GrantSet {
    fn from_iter<I: IntoIterator<Item = Codename>>(codenames: I) -> GrantSet {
        let mut set = GrantSet::new();
        set.extend(codenames);
        set
    }
}

impl From<Codename> for GrantSet {
    fn from(codename: Codename) -> GrantSet {
        GrantSet::from_iter([codename])
    }
}

impl<const N: usize> From<[Codename; N]> for GrantSet {
    fn from(codenames: [Codename; N]) -> GrantSet {
        GrantSet::from_iter(codenames)
    }
}

impl fmt::Debug for GrantSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.all { f.write_str("{all}") } else { f.debug_set().entries(self.iter()).finish() }
    }
}

/// Granted names that the program does not declare. Each is logged once, up to a limit.
struct UnknownNames {
    logged: Mutex<BTreeSet<String>>,
}

static UNKNOWN_NAMES: UnknownNames = UnknownNames { logged: Mutex::new(BTreeSet::new()) };

impl UnknownNames {
    /// Maximum number of names that are remembered and logged.
    const MAX_NAMES: usize = 256;
    /// Longer names are truncated.
    const MAX_NAME_CHARS: usize = 64;

    fn warn_once(&self, name: &str) {
        if let Some(name) = self.insert_truncated(name) {
            log_entry!(WARN, ?name, "unknown codename ignored in grants");
        }
    }

    /// Returns the truncated name if it has not been logged before.
    fn insert_truncated(&self, name: &str) -> Option<String> {
        let name: String = name.chars().take(UnknownNames::MAX_NAME_CHARS).collect();
        let mut logged = ignore_poison(self.logged.lock());
        (logged.len() < UnknownNames::MAX_NAMES && logged.insert(name.clone())).then_some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::super::CodenameRow;
    use super::super::tests::fake_source::{READ, WRITE};
    use super::*;

    #[test]
    fn administrator_contains_everything_except_removed_codenames() {
        let mut set = GrantSet::all();
        READ.index().and(WRITE.index()).unwrap();
        assert!(set.is_all() && !set.is_empty() && set.contains(READ));
        set.insert(READ);
        assert_eq!(set, GrantSet::all());
        set.deny(&GrantSet::new());
        assert!(set.is_all());
        set.remove(READ);
        assert!(!set.is_all() && !set.contains(READ) && set.contains(WRITE));
        set.allow(&GrantSet::all());
        assert!(set.is_all());
        set.deny(&GrantSet::all());
        assert_eq!(set, GrantSet::new());
    }

    #[test]
    fn ambiguous_codename_is_never_in_a_set() {
        let ambiguous = Box::leak(Box::new(CodenameRow::new("set_tests.ambiguous", "", module_path!())));
        ambiguous.mark_ambiguous();
        let ambiguous = Codename::of(ambiguous);
        assert_eq!(GrantSet::from_iter([ambiguous]), GrantSet::new());
        let mut all = GrantSet::all();
        all.remove(ambiguous);
        assert!(!all.contains(ambiguous) && !all.is_all());
    }

    #[test]
    fn stored_names_become_grants_and_unknown_names_are_ignored() {
        READ.index().unwrap();
        let set = GrantSet::from_names(["documents.read".to_owned(), "documents.raed".to_owned(), String::new()]);
        assert!(set.iter().eq([READ]) && set.contains(READ) && !set.contains(WRITE));
        assert_eq!(format!("{set:?} {:?}", GrantSet::all()), "{documents.read} {all}");
    }

    #[test]
    fn unknown_name_is_logged_once_up_to_the_limit() {
        let names = UnknownNames { logged: Mutex::default() };
        assert_eq!(names.insert_truncated("a.b").as_deref(), Some("a.b"));
        assert_eq!(names.insert_truncated("a.b"), None);
        let long = "\u{e9}".repeat(1000);
        assert_eq!(names.insert_truncated(&long), Some("\u{e9}".repeat(UnknownNames::MAX_NAME_CHARS)));
        let logged = (0..1000).filter_map(|n| names.insert_truncated(&format!("c{n}"))).count();
        assert_eq!(logged, UnknownNames::MAX_NAMES - 2);
        assert_eq!(names.insert_truncated("one.more"), None);
    }
}
