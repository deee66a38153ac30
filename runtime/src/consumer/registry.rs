//! The registry: all consumers of the program, found by `inventory` or mounted.

use std::any::type_name;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;
use std::time::Duration;

use super::const_check::{check_event_types, check_reserved_name};
use super::{Consumer, EventDescriptor, HandlerDescriptor, LeafHeaders, PublishRule};
use crate::grants::{self, Codename, CodenameClash};
use crate::permission::Expression;
use crate::sync::ignore_poison;

/// The registration of a consumer.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Registration {
    name: &'static str,
    type_name: fn() -> &'static str,
    connect: Option<&'static Expression>,
    node: &'static HandlerDescriptor,
    events: &'static [EventDescriptor],
    authenticates: bool,
}

impl Registration {
    /// Creates the registration of a consumer.
    pub const fn of<C: Consumer>() -> Registration {
        if C::AUTHENTICATES {
            check_reserved_name(C::DESCRIPTOR, "authenticate");
        }
        check_event_types(C::NAME, C::EVENTS);
        Registration {
            name: C::NAME,
            type_name: type_name::<C>,
            connect: C::CONNECT_PERMISSION,
            node: C::DESCRIPTOR,
            events: C::EVENTS,
            authenticates: C::AUTHENTICATES,
        }
    }

    /// Returns the path of the type without generic parameters. All instances of a generic consumer share one name.
    fn type_path(&self) -> &'static str {
        let name = (self.type_name)();
        match name.split_once('<') {
            Some((type_path, _)) if name.ends_with('>') && !type_path.is_empty() => type_path,
            _ => name,
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn connect(&self) -> Option<&'static Expression> {
        self.connect
    }

    pub(crate) fn events(&self) -> &'static [EventDescriptor] {
        self.events
    }

    /// Returns whether the consumer has an `#[authenticate]` method.
    pub(crate) fn authenticates(&self) -> bool {
        self.authenticates
    }

    pub(crate) fn node(&self) -> &'static HandlerDescriptor {
        self.node
    }
}

#[cfg(feature = "registry")]
inventory::collect!(Registration);

/// The registration of a group.
#[cfg(feature = "registry")]
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct GroupRegistration {
    name: &'static str,
    path: &'static str,
    consumer: &'static str,
    permission: &'static Expression,
    publish: PublishRule,
    presence: Option<PresenceRule>,
    history: Option<HistoryRule>,
    headers: LeafHeaders,
}

/// Who may see which member of a group.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PresenceRule {
    /// The expression of `presence`.
    pub(crate) permission: &'static Expression,
    /// Whether members get an event when the first connection of a user joins and when the last one leaves.
    pub(crate) is_announced: bool,
    /// Whether the group stays on its machine.
    pub(crate) is_local: bool,
}

/// How much of the events of a group is replayed, and since when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HistoryRule {
    pub(crate) max_events: u32,
    pub(crate) max_age: Duration,
    /// The function that returns since when a user may see them, or `AllowAny`.
    pub(crate) since: &'static str,
}

impl fmt::Display for HistoryRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { max_events, max_age, since } = self;
        write!(f, "the last {max_events} events of {max_age:?} replayed ")?;
        if *since == ALLOW_ANY { f.write_str("to every user who may join") } else { write!(f, "since {since}") }
    }
}

/// The word for a history without a function.
const ALLOW_ANY: &str = "AllowAny";

#[cfg(feature = "registry")]
impl GroupRegistration {
    /// Creates the registration of a group of the named consumer.
    pub(crate) const fn new(
        (name, path, consumer): (&'static str, &'static str, &'static str),
        permission: &'static Expression,
        publish: PublishRule,
        presence: Option<PresenceRule>,
        history: Option<HistoryRule>,
        headers: LeafHeaders,
    ) -> GroupRegistration {
        GroupRegistration { name, path, consumer, permission, publish, presence, history, headers }
    }
}

#[cfg(feature = "registry")]
inventory::collect!(GroupRegistration);

/// The expressions of a group, for the audit.
pub(crate) struct GroupAudit {
    pub(crate) name: &'static str,
    pub(crate) permission: &'static Expression,
    pub(crate) publish: PublishRule,
    pub(crate) presence: Option<PresenceRule>,
    pub(crate) history: Option<HistoryRule>,
}

/// Returns the groups of a consumer, sorted by name.
#[cfg(feature = "registry")]
pub(crate) fn groups_of(consumer: &str) -> Vec<GroupAudit> {
    let rows = inventory::iter::<GroupRegistration>.into_iter().filter(|row| row.consumer == consumer);
    let groups = rows.map(|row| GroupAudit {
        name: row.name,
        permission: row.permission,
        publish: row.publish,
        presence: row.presence,
        history: row.history,
    });
    let mut groups: Vec<_> = groups.collect();
    groups.sort_unstable_by_key(|group| group.name);
    groups
}

/// Fails if two groups of a consumer have the same name.
fn check_groups_of(consumer: &'static str) -> Result<(), RegistryError> {
    let mut path_by_name: BTreeMap<&'static str, &'static str> = BTreeMap::new();
    for (name, path) in group_paths(consumer) {
        if let Some(earlier) = path_by_name.insert(name, path) {
            let mut types = [earlier, path];
            types.sort_unstable();
            return Err(RegistryError(Clash::Group { consumer, name, types }));
        }
    }
    Ok(())
}

/// Returns the names of the groups of a consumer with the paths of their types.
#[cfg(feature = "registry")]
fn group_paths(consumer: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let rows = inventory::iter::<GroupRegistration>.into_iter().filter(move |row| row.consumer == consumer);
    rows.map(|row| (row.name, row.path))
}

#[cfg(not(feature = "registry"))]
fn group_paths(_: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    std::iter::empty()
}

#[cfg(not(feature = "registry"))]
pub(crate) fn groups_of(_: &str) -> Vec<GroupAudit> {
    Vec::new()
}

/// Returns the headers that the permissions of a consumer's groups read.
#[cfg(feature = "registry")]
pub(crate) fn group_headers(consumer: &str) -> impl Iterator<Item = LeafHeaders> {
    inventory::iter::<GroupRegistration>.into_iter().filter(move |row| row.consumer == consumer).map(|row| row.headers)
}

#[cfg(not(feature = "registry"))]
pub(crate) fn group_headers(_: &str) -> impl Iterator<Item = LeafHeaders> {
    std::iter::empty()
}

/// Two consumers or two codenames of the program have the same name, or two groups of one consumer.
///
/// ```standalone_crate
/// match portcullis::audit() {
///     Ok(audit) => println!("{audit}"),
///     Err(error) => eprintln!("{error}"),
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryError(Clash);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Clash {
    Consumer { name: &'static str, types: [&'static str; 2] },
    Group { consumer: &'static str, name: &'static str, types: [&'static str; 2] },
    Codename(CodenameClash),
}

impl From<CodenameClash> for RegistryError {
    fn from(clash: CodenameClash) -> RegistryError {
        RegistryError(Clash::Codename(clash))
    }
}

impl fmt::Display for RegistryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Clash::Consumer { name, types: [one, other] } => write!(
                f,
                "two consumers are named `{name}`: `{one}` and `{other}`; rename one of them with `#[consumer(name = \"..\")]`"
            ),
            Clash::Group { consumer, name, types: [one, other] } => write!(
                f,
                "consumer `{consumer}` has two groups named `{name}`, `{one}` and `{other}`; rename one of them with \
                 `#[group(.., name = \"..\")]`"
            ),
            Clash::Codename(clash) => clash.fmt(f),
        }
    }
}

impl std::error::Error for RegistryError {}

/// The consumers mounted so far, each once.
static MOUNTED_CONSUMERS: Mutex<Vec<Registration>> = Mutex::new(Vec::new());

/// Registers a mounted consumer. Fails if another consumer has the same name, or if two codenames or two of its groups have.
pub(crate) fn register_mounted<C: Consumer>() -> Result<(), RegistryError> {
    let () = C::CHECK;
    grants::register_codenames()?;
    check_groups_of(C::NAME)?;
    let mut mounted = ignore_poison(MOUNTED_CONSUMERS.lock());
    let known = mounted.iter().copied();
    let all = deduplicate(inventory_registrations().into_iter().chain(known).chain([Registration::of::<C>()]))?;
    *mounted = all;
    Ok(())
}

/// Returns all codenames declared in the program, sorted by name, for example to fill the role tables of an application.
///
/// Without the feature `registry`, only codenames that have been used are included. A dependency that the program does not
/// name is not linked and declares nothing; write `use plugin as _;` to link it.
///
/// # Errors
///
/// Fails if two codenames have the same name.
///
/// ```standalone_crate
/// # fn main() -> Result<(), portcullis::RegistryError> {
/// for codename in portcullis::codenames()? {
///     println!("{}: {}", codename.name(), codename.description());
/// }
/// # Ok(())
/// # }
/// ```
pub fn codenames() -> Result<Vec<Codename>, RegistryError> {
    Ok(grants::codenames()?)
}

/// Returns all consumers, sorted by name, each once.
pub(crate) fn consumers() -> Result<Vec<Registration>, RegistryError> {
    let mounted = ignore_poison(MOUNTED_CONSUMERS.lock()).clone();
    deduplicate(inventory_registrations().into_iter().chain(mounted))
}

/// Returns the consumers that `inventory` finds.
#[cfg(feature = "registry")]
fn inventory_registrations() -> Vec<Registration> {
    inventory::iter::<Registration>.into_iter().copied().collect()
}

/// Returns nothing: the feature `registry` is off.
#[cfg(not(feature = "registry"))]
fn inventory_registrations() -> Vec<Registration> {
    Vec::new()
}

/// Sorts by name and removes duplicates. Fails if two types share a name.
fn deduplicate(all: impl Iterator<Item = Registration>) -> Result<Vec<Registration>, RegistryError> {
    let mut path_by_name: BTreeMap<&'static str, &'static str> = BTreeMap::new();
    let mut by_name_and_type: BTreeMap<(&'static str, &'static str), Registration> = BTreeMap::new();
    for registration in all {
        let type_path = registration.type_path();
        let earlier = *path_by_name.entry(registration.name).or_insert(type_path);
        if earlier != type_path {
            let mut types = [earlier, type_path];
            types.sort_unstable();
            return Err(RegistryError(Clash::Consumer { name: registration.name, types }));
        }
        by_name_and_type.insert((registration.name, (registration.type_name)()), registration);
    }
    Ok(by_name_and_type.into_values().collect())
}

/// Registers a consumer. A macro of this crate, so that the expansion depends on the features of this crate.
#[doc(hidden)]
#[macro_export]
#[cfg(feature = "registry")]
macro_rules! __register {
    ($consumer:ty) => {
        $crate::__private::inventory::submit! { $crate::__private::Registration::of::<$consumer>() }
    };
}

/// Registers a group.
#[doc(hidden)]
#[macro_export]
#[cfg(feature = "registry")]
macro_rules! __register_group {
    ($group:ty) => {
        $crate::__private::inventory::submit! {
            $crate::__private::group_registration::<$group>()
        }
    };
}

/// Registers nothing: the feature `registry` is off.
#[doc(hidden)]
#[macro_export]
#[cfg(not(feature = "registry"))]
macro_rules! __register_group {
    ($group:ty) => {};
}

/// Registers nothing: the feature `registry` is off.
#[doc(hidden)]
#[macro_export]
#[cfg(not(feature = "registry"))]
macro_rules! __register {
    ($consumer:ty) => {};
}
