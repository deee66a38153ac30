//! Every consumer of the program: those that inventory finds, and those that were mounted by hand.

use std::any::type_name;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use super::const_check::check_built_in;
use super::{Consumer, EventDescriptor, HandlerDescriptor};
use crate::grants::{self, Codename, CodenameClash};
use crate::permission::Expression;

/// What the registry knows of a consumer.
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
    /// The registration of a consumer.
    pub const fn of<C: Consumer>() -> Registration {
        if C::AUTHENTICATES {
            check_built_in(C::NODE, "authenticate");
        }
        Registration {
            name: C::NAME,
            type_name: type_name::<C>,
            connect: C::CONNECT,
            node: C::NODE,
            events: C::EVENTS,
            authenticates: C::AUTHENTICATES,
        }
    }

    /// The path of the type without its parameters: all instances of a generic consumer have one block, and one name.
    fn path(&self) -> &'static str {
        let name = (self.type_name)();
        match name.split_once('<') {
            Some((path, _)) if name.ends_with('>') && !path.is_empty() => path,
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

    /// Whether clients may show fresh credentials in place.
    pub(crate) fn authenticates(&self) -> bool {
        self.authenticates
    }

    pub(crate) fn node(&self) -> &'static HandlerDescriptor {
        self.node
    }
}

#[cfg(feature = "registry")]
inventory::collect!(Registration);

/// What the registry knows of a group.
#[cfg(feature = "registry")]
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct CodenameGroupRow {
    name: &'static str,
    consumer: &'static str,
    permission: &'static Expression,
}

#[cfg(feature = "registry")]
impl CodenameGroupRow {
    /// The row of a group, by the name of its consumer.
    pub const fn new(name: &'static str, consumer: &'static str, permission: &'static Expression) -> CodenameGroupRow {
        CodenameGroupRow { name, consumer, permission }
    }
}

#[cfg(feature = "registry")]
inventory::collect!(CodenameGroupRow);

/// The groups of a consumer, sorted by name, and what is asked of whoever joins.
#[cfg(feature = "registry")]
pub(crate) fn groups_of(consumer: &str) -> Vec<(&'static str, &'static Expression)> {
    let of_it = inventory::iter::<CodenameGroupRow>.into_iter().filter(|row| row.consumer == consumer);
    let mut groups: Vec<_> = of_it.map(|row| (row.name, row.permission)).collect();
    groups.sort_unstable_by_key(|(name, _)| *name);
    groups
}

#[cfg(not(feature = "registry"))]
pub(crate) fn groups_of(_: &str) -> Vec<(&'static str, &'static Expression)> {
    Vec::new()
}

/// Two consumers of the program have one name, or two codenames.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryError(Same);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Same {
    Consumer { name: &'static str, types: [&'static str; 2] },
    Codename(CodenameClash),
}

impl From<CodenameClash> for RegistryError {
    fn from(clash: CodenameClash) -> RegistryError {
        RegistryError(Same::Codename(clash))
    }
}

impl fmt::Display for RegistryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Same::Consumer { name, types: [one, other] } => write!(
                f,
                "two consumers are called `{name}`: `{one}` and `{other}`; give one another name with `#[consumer(name = \"..\")]`"
            ),
            Same::Codename(clash) => clash.fmt(f),
        }
    }
}

impl std::error::Error for RegistryError {}

static MOUNTED: Mutex<Vec<Registration>> = Mutex::new(Vec::new());

/// Remembers a consumer that is mounted, found by inventory or not, unless its name is another's.
pub(crate) fn mounted<C: Consumer>() -> Result<(), RegistryError> {
    let () = C::CHECKED;
    grants::register_codenames()?;
    let mut mounted = MOUNTED.lock().unwrap_or_else(PoisonError::into_inner);
    let known = mounted.iter().copied();
    let all = unique(found().into_iter().chain(known).chain([Registration::of::<C>()]))?;
    *mounted = all;
    Ok(())
}

/// Every codename of the program, sorted by name: all that were declared, to fill an application's role tables.
///
/// A crate that is a dependency but is named nowhere in the program is not linked, and so declares nothing. Without the
/// feature `registry` only those that were used before are known.
pub fn codenames() -> Result<Vec<Codename>, RegistryError> {
    Ok(grants::codenames()?)
}

/// All consumers, sorted by name, each once.
pub(crate) fn consumers() -> Result<Vec<Registration>, RegistryError> {
    let mounted = MOUNTED.lock().unwrap_or_else(PoisonError::into_inner).clone();
    unique(found().into_iter().chain(mounted))
}

#[cfg(feature = "registry")]
fn found() -> Vec<Registration> {
    inventory::iter::<Registration>.into_iter().copied().collect()
}

#[cfg(not(feature = "registry"))]
fn found() -> Vec<Registration> {
    Vec::new()
}

fn unique(all: impl Iterator<Item = Registration>) -> Result<Vec<Registration>, RegistryError> {
    let mut named: BTreeMap<&'static str, &'static str> = BTreeMap::new();
    let mut each: BTreeMap<(&'static str, &'static str), Registration> = BTreeMap::new();
    for registration in all {
        let path = registration.path();
        let earlier = *named.entry(registration.name).or_insert(path);
        if earlier != path {
            let mut types = [earlier, path];
            types.sort_unstable();
            return Err(RegistryError(Same::Consumer { name: registration.name, types }));
        }
        each.insert((registration.name, (registration.type_name)()), registration);
    }
    Ok(each.into_values().collect())
}

/// Tells the registry of a consumer. Generated code decides nothing: what this does depends on the features.
#[doc(hidden)]
#[macro_export]
#[cfg(feature = "registry")]
macro_rules! __register {
    ($consumer:ty) => {
        $crate::__private::inventory::submit! { $crate::__private::Registration::of::<$consumer>() }
    };
}

/// Tells the registry of a group.
#[doc(hidden)]
#[macro_export]
#[cfg(feature = "registry")]
macro_rules! __register_group {
    ($group:ty) => {
        $crate::__private::inventory::submit! {
            $crate::__private::CodenameGroupRow::new(
                <$group as $crate::__private::Group>::NAME,
                <<$group as $crate::__private::Group>::Consumer as $crate::__private::Consumer>::NAME,
                <$group as $crate::__private::Group>::PERMISSION,
            )
        }
    };
}

/// Tells nobody: the feature `registry` is off.
#[doc(hidden)]
#[macro_export]
#[cfg(not(feature = "registry"))]
macro_rules! __register_group {
    ($group:ty) => {};
}

/// Tells nobody: the feature `registry` is off.
#[doc(hidden)]
#[macro_export]
#[cfg(not(feature = "registry"))]
macro_rules! __register {
    ($consumer:ty) => {};
}
