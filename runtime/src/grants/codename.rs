//! Codenames: the names that a role table can grant. Each has an index that is stable until the process exits.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard};

use crate::sync::ignore_poison;

/// A name that a role table can grant, for example `chat.can_use_chat`.
///
/// [`permissions!`](crate::permissions) declares codenames as constants; there is no public constructor. In a permission
/// expression a codename is written as its name; in code it is passed to [`Context::may`](crate::PermissionContext::may) and
/// to [`GrantSet`](crate::GrantSet).
///
/// Two codenames are equal if they come from the same declaration. If two declarations have the same name, neither can be
/// granted, and [`websocket`](crate::websocket) panics.
///
/// ```standalone_crate
/// portcullis::permissions! {
///     uploads {
///         read = "Sees uploads",
///         write = "Uploads files",
///     }
/// }
///
/// assert_eq!(uploads::read.name(), "uploads.read");
/// assert_eq!(uploads::write.description(), "Uploads files");
/// assert_ne!(uploads::read, uploads::write);
/// ```
#[derive(Clone, Copy)]
pub struct Codename(&'static CodenameRow);

impl Codename {
    /// Returns the codename that a declared row describes.
    #[doc(hidden)]
    pub const fn of(row: &'static CodenameRow) -> Codename {
        Codename(row)
    }

    /// Returns the name as role tables store it: module and constant joined by a dot, for example `chat.can_use_chat`.
    pub fn name(&self) -> &'static str {
        self.0.name
    }

    /// Returns the description that was written at the declaration, for people who fill a role table.
    pub fn description(&self) -> &'static str {
        self.0.description
    }

    /// Returns the index in a grant set, or `None` if another declaration has the same name: then no set contains it.
    #[inline]
    pub(crate) fn index(self) -> Option<usize> {
        match self.0.index.load(Ordering::Relaxed) {
            UNASSIGNED => self.register_on_first_use(),
            AMBIGUOUS => None,
            index => Some(index as usize - 1),
        }
    }

    #[cold]
    fn register_on_first_use(self) -> Option<usize> {
        lock_table().register(self.0);
        self.0.index()
    }
}

impl PartialEq for Codename {
    fn eq(&self, other: &Codename) -> bool {
        ptr::eq(self.0, other.0)
    }
}

impl Eq for Codename {}

impl Hash for Codename {
    fn hash<H: Hasher>(&self, state: &mut H) {
        ptr::hash(self.0, state);
    }
}

impl fmt::Display for Codename {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Codename {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The static row that `permissions!` generates for a codename.
#[doc(hidden)]
pub struct CodenameRow {
    name: &'static str,
    description: &'static str,
    module: &'static str,
    /// [`UNASSIGNED`], [`AMBIGUOUS`], or the index plus one.
    index: AtomicU32,
}

const UNASSIGNED: u32 = 0;
const AMBIGUOUS: u32 = u32::MAX;

impl CodenameRow {
    /// Creates the row of a codename declared in `module`.
    pub const fn new(name: &'static str, description: &'static str, module: &'static str) -> CodenameRow {
        CodenameRow { name, description, module, index: AtomicU32::new(UNASSIGNED) }
    }

    /// Excludes the codename from all grant sets, because another declaration has the same name.
    pub(super) fn mark_ambiguous(&self) {
        self.index.store(AMBIGUOUS, Ordering::Relaxed);
    }

    fn index(&self) -> Option<usize> {
        match self.index.load(Ordering::Relaxed) {
            UNASSIGNED | AMBIGUOUS => None,
            index => Some(index as usize - 1),
        }
    }
}

#[cfg(feature = "registry")]
inventory::collect!(Codename);

/// The error for two declarations with the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CodenameClash {
    name: &'static str,
    modules: [&'static str; 2],
}

impl fmt::Display for CodenameClash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CodenameClash { name, modules: [first, second] } = self;
        write!(f, "two codenames are called `{name}`: one in `{first}`, one in `{second}`; give one another name")
    }
}

impl std::error::Error for CodenameClash {}

/// Assigns an index to every submitted codename. Fails if two declarations have the same name.
pub(crate) fn register_codenames() -> Result<(), CodenameClash> {
    lock_table().clash.clone().map_or(Ok(()), Err)
}

/// Returns all registered codenames, sorted by name. Fails if two declarations have the same name.
pub(crate) fn codenames() -> Result<Vec<Codename>, CodenameClash> {
    let table = lock_table();
    match &table.clash {
        Some(clash) => Err(clash.clone()),
        None => Ok(table.grantable_codenames().collect()),
    }
}

/// Returns all registered codenames with an unambiguous name, sorted by name.
pub(super) fn grantable_codenames() -> Vec<Codename> {
    lock_table().grantable_codenames().collect()
}

/// Returns the index for a name, or `None` if no codename, or more than one, has this name.
pub(super) fn index_of(name: &str) -> Option<usize> {
    lock_table().index_of(name, cfg!(feature = "registry"))
}

/// Every registered codename, with or without an index.
struct CodenameTable {
    is_filled: bool,
    rows: BTreeMap<&'static str, &'static CodenameRow>,
    /// Names that were granted before their codename was registered, each with its future index plus one.
    reserved: BTreeMap<String, u32>,
    /// The last allocated index plus one.
    last_index: u32,
    clash: Option<CodenameClash>,
}

static TABLE: Mutex<CodenameTable> = Mutex::new(CodenameTable::new());

fn lock_table() -> MutexGuard<'static, CodenameTable> {
    let mut table = ignore_poison(TABLE.lock());
    if !table.is_filled {
        table.is_filled = true;
        for row in submitted_rows() {
            table.register(row);
        }
    }
    table
}

impl CodenameTable {
    /// Stored names come from outside of the program, so the number of reserved indexes is bounded.
    const MAX_RESERVED: usize = 4096;

    const fn new() -> CodenameTable {
        CodenameTable { is_filled: false, rows: BTreeMap::new(), reserved: BTreeMap::new(), last_index: 0, clash: None }
    }

    /// Assigns the next index to a row. If two rows have the same name, neither keeps an index, because a role could mean
    /// either of them.
    fn register(&mut self, row: &'static CodenameRow) {
        let Some(&earlier) = self.rows.get(row.name) else {
            let index = self.reserved.remove(row.name).unwrap_or_else(|| self.allocate_index());
            self.rows.insert(row.name, row);
            return row.index.store(index, Ordering::Relaxed);
        };
        if ptr::eq(earlier, row) {
            return;
        }
        earlier.mark_ambiguous();
        row.mark_ambiguous();
        let mut modules = [earlier.module, row.module];
        modules.sort_unstable();
        self.clash.get_or_insert(CodenameClash { name: row.name, modules });
    }

    /// Reserves an index for an unknown name unless `is_complete`: the codename may be registered later.
    fn index_of(&mut self, name: &str, is_complete: bool) -> Option<usize> {
        if let Some(row) = self.rows.get(name) {
            return row.index();
        }
        if !is_complete && !self.reserved.contains_key(name) && self.reserved.len() < CodenameTable::MAX_RESERVED {
            let index = self.allocate_index();
            self.reserved.insert(name.to_owned(), index);
        }
        self.reserved.get(name).map(|index| *index as usize - 1)
    }

    fn allocate_index(&mut self) -> u32 {
        self.last_index += 1;
        self.last_index
    }

    fn grantable_codenames(&self) -> impl Iterator<Item = Codename> {
        self.rows.values().filter(|row| row.index().is_some()).map(|row| Codename(row))
    }
}

/// Collects the rows submitted to inventory, in a deterministic order.
#[cfg(feature = "registry")]
fn submitted_rows() -> Vec<&'static CodenameRow> {
    let mut rows: Vec<_> = inventory::iter::<Codename>.into_iter().map(|codename| codename.0).collect();
    rows.sort_unstable_by_key(|row| (row.name, row.module));
    rows
}

#[cfg(not(feature = "registry"))]
fn submitted_rows() -> Vec<&'static CodenameRow> {
    Vec::new()
}

/// Submits a codename to the registry.
#[doc(hidden)]
#[macro_export]
#[cfg(feature = "registry")]
macro_rules! __declare {
    ($codename:expr) => {
        $crate::__private::inventory::submit! { $codename }
    };
}

/// Expands to nothing, because the feature `registry` is off.
#[doc(hidden)]
#[macro_export]
#[cfg(not(feature = "registry"))]
macro_rules! __declare {
    ($codename:expr) => {};
}

#[cfg(test)]
mod tests {
    use super::*;

    static READ: CodenameRow = CodenameRow::new("codename_tests.read", "May read", module_path!());
    const READ_CODENAME: Codename = Codename::of(&READ);
    crate::__declare!(READ_CODENAME);

    fn row(name: &'static str, module: &'static str) -> &'static CodenameRow {
        Box::leak(Box::new(CodenameRow::new(name, "", module)))
    }

    #[test]
    fn each_codename_gets_its_own_index() {
        let mut table = CodenameTable::new();
        let (read, write) = (row("a.read", "m"), row("a.write", "m"));
        for row in [write, read, write] {
            table.register(row);
        }
        assert_eq!((write.index(), read.index()), (Some(0), Some(1)));
        assert_eq!(table.grantable_codenames().collect::<Vec<_>>(), [Codename(read), Codename(write)]);
        assert_eq!(table.clash, None);
    }

    #[test]
    fn two_codenames_with_one_name_clash_and_are_never_granted() {
        let mut table = CodenameTable::new();
        let (second, first, unique) = (row("a.read", "m::b"), row("a.read", "m::a"), row("a.write", "m"));
        for row in [second, unique, first, second] {
            table.register(row);
        }
        assert_eq!((first.index(), second.index(), unique.index()), (None, None, Some(1)));
        assert_eq!(Codename(first).index(), None);
        assert_eq!(table.grantable_codenames().collect::<Vec<_>>(), [Codename(unique)]);
        let text = "two codenames are called `a.read`: one in `m::a`, one in `m::b`; give one another name";
        assert_eq!(table.clash.unwrap().to_string(), text);
    }

    #[test]
    fn name_granted_before_registration_keeps_its_index() {
        let mut table = CodenameTable::new();
        assert_eq!(table.index_of("a.read", true), None);
        let reserved = table.index_of("a.read", false);
        assert_eq!((reserved, table.index_of("a.read", false)), (Some(0), Some(0)));
        let (write, read) = (row("a.write", "m"), row("a.read", "m"));
        table.register(write);
        table.register(read);
        assert_eq!((read.index(), write.index()), (reserved, Some(1)));
        assert_eq!(table.index_of("a.read", false), reserved);
        let reserved = (0..5000).filter(|n| table.index_of(&format!("b.{n}"), false).is_some()).count();
        assert_eq!(reserved, CodenameTable::MAX_RESERVED);
    }

    #[test]
    fn registered_codename_is_found_by_name() {
        // Submitted to inventory, or reserved by this call.
        let index = index_of("codename_tests.read");
        assert!(index.is_some());
        assert_eq!(READ_CODENAME.index(), index);
        assert_eq!((READ_CODENAME.name(), READ_CODENAME.description()), ("codename_tests.read", "May read"));
        assert_eq!(format!("{READ_CODENAME} {READ_CODENAME:?}"), "codename_tests.read codename_tests.read");
        assert_eq!(index_of("codename_tests.rea").is_some(), cfg!(not(feature = "registry")));
        register_codenames().unwrap();
        let all = codenames().unwrap();
        assert!(all.contains(&READ_CODENAME) && all.is_sorted_by_key(Codename::name), "{all:?}");
    }

    #[test]
    fn codenames_compare_by_declaration() {
        let (first, second) = (Codename(row("a.x", "m")), Codename(row("a.x", "m")));
        assert_ne!(first, second);
        assert_eq!(std::collections::HashSet::from([first, second, first]).len(), 2);
    }
}
