//! Compares grant sets, overwrites and connection grants with a model of plain name sets.

use std::collections::BTreeSet;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use pollster::block_on;
use proptest::collection::vec;
use proptest::prelude::*;

use super::fake_source::{FakeSource, READ, WRITE, allow_everyone, deny_everyone, key, keys};
use crate::grants::{Codename, CodenameRow, ConnectionGrants, GrantCache, GrantSet, Overwrites};

/// More codenames than the inline words of a set have bits.
const COUNT: usize = 150;

fn codenames() -> &'static [Codename] {
    static ALL: OnceLock<Vec<Codename>> = OnceLock::new();
    ALL.get_or_init(|| {
        let names = (0..COUNT).map(|n| &*format!("model.c{n:03}").leak());
        let rows = names.map(|name| &*Box::leak(Box::new(CodenameRow::new(name, "", module_path!()))));
        let all: Vec<_> = rows.map(Codename::of).collect();
        // `READ` and `WRITE` first: tests of the seqlock need indexes below 128, whatever test runs first.
        for codename in [READ, WRITE].iter().chain(&all) {
            codename.index().unwrap();
        }
        all
    })
}

type Names = BTreeSet<&'static str>;

fn names(indexes: &[usize]) -> Names {
    indexes.iter().map(|&n| codenames()[n].name()).collect()
}

fn grant_set(indexes: &[usize]) -> GrantSet {
    indexes.iter().map(|&n| codenames()[n]).collect()
}

fn indexes() -> impl Strategy<Value = Vec<usize>> {
    vec(0..COUNT, 0..8)
}

#[derive(Debug, Clone)]
enum SetEdit {
    Insert(usize),
    Remove(usize),
    Allow(Vec<usize>),
    Deny(Vec<usize>),
    Extend(Vec<usize>),
    AllowAll,
    DenyAll,
}

fn set_edit() -> impl Strategy<Value = SetEdit> {
    prop_oneof![
        4 => (0..COUNT).prop_map(SetEdit::Insert),
        4 => (0..COUNT).prop_map(SetEdit::Remove),
        4 => indexes().prop_map(SetEdit::Allow),
        4 => indexes().prop_map(SetEdit::Deny),
        2 => indexes().prop_map(SetEdit::Extend),
        1 => Just(SetEdit::AllowAll),
        1 => Just(SetEdit::DenyAll),
    ]
}

impl SetEdit {
    fn apply(&self, set: &mut GrantSet, model: &mut Names) {
        match self {
            SetEdit::Insert(n) => {
                set.insert(codenames()[*n]);
                model.insert(codenames()[*n].name());
            }
            SetEdit::Remove(n) => {
                set.remove(codenames()[*n]);
                model.remove(codenames()[*n].name());
            }
            SetEdit::Allow(indexes) => {
                set.allow(&grant_set(indexes));
                model.extend(names(indexes));
            }
            SetEdit::Deny(indexes) => {
                set.deny(&grant_set(indexes));
                model.retain(|name| !names(indexes).contains(name));
            }
            SetEdit::Extend(indexes) => {
                set.extend(grant_set(indexes).iter());
                model.extend(names(indexes));
            }
            SetEdit::AllowAll => {
                set.allow(&GrantSet::all());
                model.extend(codenames().iter().map(Codename::name));
            }
            SetEdit::DenyAll => {
                set.deny(&GrantSet::all());
                model.clear();
            }
        }
    }
}

proptest! {
    #[test]
    fn grant_set_equals_a_set_of_names(edits in vec(set_edit(), 1..40)) {
        let (mut set, mut model) = (GrantSet::new(), Names::new());
        // False while the set may contain codenames that other tests declare, after `AllowAll`.
        let mut is_exact = true;
        for edit in &edits {
            edit.apply(&mut set, &mut model);
            is_exact = matches!(edit, SetEdit::DenyAll) || is_exact && !matches!(edit, SetEdit::AllowAll);
            for codename in codenames() {
                prop_assert_eq!(set.contains(*codename), model.contains(codename.name()), "{} after {:?}", codename, edit);
            }
            let listed = set.iter().map(|codename| codename.name()).filter(|name| name.starts_with("model."));
            let listed: Names = listed.collect();
            prop_assert_eq!(&listed, &model);
            if is_exact {
                prop_assert_eq!(&set, &GrantSet::from_names(&model));
                prop_assert_eq!(set.is_empty(), model.is_empty());
                prop_assert_eq!(set.iter().count(), model.len());
            }
        }
    }
}

const ROLES: [&str; 3] = ["user", "editor", "owner"];
const USERS: [&str; 2] = ["7", "8"];

/// The users that an overwrite applies to.
#[derive(Debug, Clone, PartialEq)]
enum Target {
    Everyone,
    Role(&'static str),
    Member(&'static str),
}

/// A change in the database.
#[derive(Debug, Clone)]
enum DatabaseChange {
    Grants(Vec<usize>),
    Administrator,
    Roles(Vec<&'static str>),
    Overwrite { object: u32, target: Target, deny: Vec<usize>, allow: Vec<usize> },
    Clear { object: u32 },
}

fn database_change() -> impl Strategy<Value = DatabaseChange> {
    let target = prop_oneof![
        Just(Target::Everyone),
        proptest::sample::select(&ROLES[..]).prop_map(Target::Role),
        proptest::sample::select(&USERS[..]).prop_map(Target::Member),
    ];
    // Few codenames, so that changes overlap.
    let few_indexes = || vec((0..6_usize).prop_map(|n| n * 25), 0..4);
    prop_oneof![
        3 => few_indexes().prop_map(DatabaseChange::Grants),
        1 => Just(DatabaseChange::Administrator),
        3 => proptest::sample::subsequence(&ROLES[..], 0..=3).prop_map(DatabaseChange::Roles),
        9 => (0..2_u32, target, few_indexes(), few_indexes())
            .prop_map(|(object, target, deny, allow)| DatabaseChange::Overwrite { object, target, deny, allow }),
        1 => (0..2_u32).prop_map(|object| DatabaseChange::Clear { object }),
    ]
}

/// The database as plain sets of names.
#[derive(Debug, Default)]
struct DatabaseModel {
    administrator: bool,
    grants: Names,
    roles: Vec<&'static str>,
    overwrites: Vec<(u32, Target, Names, Names)>,
}

impl DatabaseModel {
    fn apply(&mut self, change: &DatabaseChange) {
        match change {
            DatabaseChange::Grants(indexes) => (self.administrator, self.grants) = (false, names(indexes)),
            DatabaseChange::Administrator => self.administrator = true,
            DatabaseChange::Roles(roles) => self.roles.clone_from(roles),
            DatabaseChange::Overwrite { object, target, deny, allow } => {
                self.overwrites.push((*object, target.clone(), names(deny), names(allow)));
            }
            DatabaseChange::Clear { object } => self.overwrites.retain(|overwrite| overwrite.0 != *object),
        }
    }

    fn may(&self, name: &str) -> bool {
        self.administrator || self.grants.contains(name)
    }

    fn may_on(&self, name: &str, user: &str, object: u32) -> bool {
        let steps: [&dyn Fn(&Target) -> bool; 3] = [
            &|target| *target == Target::Everyone,
            &|target| matches!(target, Target::Role(role) if self.roles.contains(role)),
            &|target| matches!(target, Target::Member(member) if *member == user),
        ];
        let mut may = self.may(name);
        for applies in steps {
            let matching = || self.overwrites.iter().filter(|(of, target, ..)| *of == object && applies(target));
            may &= !matching().any(|(_, _, deny, _)| deny.contains(name));
            may |= matching().any(|(_, _, _, allow)| allow.contains(name));
        }
        may || self.administrator
    }
}

/// Writes the change to the source and forgets what it affects.
fn apply_to_source(
    source: &FakeSource,
    change: &DatabaseChange,
    grants: &ConnectionGrants<()>,
    cache: &GrantCache<()>,
) {
    match change {
        DatabaseChange::Grants(indexes) => source.user.lock().unwrap().grants = grant_set(indexes),
        DatabaseChange::Administrator => source.user.lock().unwrap().grants = GrantSet::all(),
        DatabaseChange::Roles(roles) => {
            source.user.lock().unwrap().roles = roles.iter().map(|&role| role.into()).collect();
        }
        DatabaseChange::Overwrite { object, target, deny, allow } => {
            let mut objects = source.objects.lock().unwrap();
            let entry = objects.entry(key(*object)).or_default();
            let (stored, deny, allow) = (std::mem::take(entry), grant_set(deny), grant_set(allow));
            *entry = match target {
                Target::Everyone => stored.deny_everyone(deny).allow_everyone(allow),
                Target::Role(role) => stored.deny_role(*role, deny).allow_role(*role, allow),
                Target::Member(member) => stored.deny_member(*member, deny).allow_member(*member, allow),
            };
        }
        DatabaseChange::Clear { object } => source.set_overwrites(*object, Overwrites::new()),
    }
    match change {
        DatabaseChange::Administrator => cache.forget_all(),
        DatabaseChange::Grants(_) | DatabaseChange::Roles(_) => grants.forget(),
        DatabaseChange::Overwrite { object, .. } | DatabaseChange::Clear { object } => {
            cache.forget_object(&key(*object));
        }
    }
}

proptest! {
    #[test]
    fn connection_grants_equal_the_database_model(
        user in proptest::sample::select(&USERS[..]),
        changes in vec(database_change(), 1..24),
    ) {
        let (source, mut model) = (FakeSource::immediate(), DatabaseModel::default());
        let cache = source.cache();
        let grants = ConnectionGrants::new(cache.clone());
        for change in &changes {
            model.apply(change);
            apply_to_source(&source, change, &grants, &cache);
            for codename in codenames().iter().step_by(25) {
                let name = codename.name();
                let may = block_on(grants.evaluate(&(), "7", *codename)).unwrap();
                prop_assert_eq!(may, model.may(name), "{} after {:?}", name, change);
                let wanted = [0, 1].map(|object| model.may_on(name, user, object));
                for object in [0, 1] {
                    let may = block_on(grants.evaluate_on(&(), user, *codename, &[key(object)])).unwrap();
                    prop_assert_eq!(may, wanted[object as usize], "{} on {} after {:?}", name, object, change);
                    prop_assert_eq!(grants.evaluate_cached_on(*codename, &key(object)), Some(may));
                }
                let both = block_on(grants.evaluate_on(&(), user, *codename, &[key(0), key(1)])).unwrap();
                prop_assert_eq!(both, wanted[0] && wanted[1]);
            }
        }
    }
}

/// With other threads running between any two steps, a check that starts after a forget sees the change.
#[test]
fn evaluation_after_forget_sees_the_change() {
    let source = FakeSource::immediate();
    let cache = source.cache();
    let is_done = AtomicBool::new(false);
    let write_and_verify = |id: u32, own: &ConnectionGrants<()>, round: u32| {
        let may = round.is_multiple_of(3);
        source.set_overwrites(id, if may { allow_everyone(READ) } else { deny_everyone(READ) });
        cache.forget_object(&key(id));
        assert_eq!(block_on(own.evaluate_on(&(), "7", READ, &[key(id)])).unwrap(), may);
        if round.is_multiple_of(7) {
            cache.forget_all();
        }
    };
    thread::scope(|threads| {
        let writers = [0, 1].map(|id| {
            let own = ConnectionGrants::new(cache.clone());
            let write_and_verify = &write_and_verify;
            threads.spawn(move || (0..2000).for_each(|round| write_and_verify(id, &own, round)))
        });
        threads.spawn(|| {
            let other = ConnectionGrants::new(cache.clone());
            while !is_done.load(Ordering::SeqCst) {
                block_on(other.evaluate_on(&(), "8", READ, &keys(&[1, 0, 2]))).unwrap();
            }
        });
        let written = writers.map(|writer| writer.join().is_ok());
        is_done.store(true, Ordering::SeqCst);
        assert_eq!(written, [true, true]);
    });
}
