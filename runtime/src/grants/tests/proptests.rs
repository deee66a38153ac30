//! Sets, overwrites and what connections hold of them, against plain sets of names.

use std::collections::BTreeSet;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use pollster::block_on;
use proptest::collection::vec;
use proptest::prelude::*;

use super::fake_source::{READ, Staged, allowed, denied, key, keys};
use crate::grants::{Codename, CodenameRow, ConnectionGrants, GrantCache, GrantSet, Overwrites};

/// So many codenames that a set needs words beyond those that it has at hand.
const COUNT: usize = 150;

fn codenames() -> &'static [Codename] {
    static ALL: OnceLock<Vec<Codename>> = OnceLock::new();
    ALL.get_or_init(|| {
        let names = (0..COUNT).map(|n| &*format!("model.c{n:03}").leak());
        let rows = names.map(|name| &*Box::leak(Box::new(CodenameRow::new(name, "", module_path!()))));
        let all: Vec<_> = rows.map(Codename::of).collect();
        for codename in &all {
            codename.index().unwrap();
        }
        all
    })
}

type Names = BTreeSet<&'static str>;

fn names(some: &[usize]) -> Names {
    some.iter().map(|&n| codenames()[n].name()).collect()
}

fn set(some: &[usize]) -> GrantSet {
    some.iter().map(|&n| codenames()[n]).collect()
}

fn some() -> impl Strategy<Value = Vec<usize>> {
    vec(0..COUNT, 0..8)
}

#[derive(Debug, Clone)]
enum Edit {
    Insert(usize),
    Remove(usize),
    Allow(Vec<usize>),
    Deny(Vec<usize>),
    Extend(Vec<usize>),
    AllowAll,
    DenyAll,
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        4 => (0..COUNT).prop_map(Edit::Insert),
        4 => (0..COUNT).prop_map(Edit::Remove),
        4 => some().prop_map(Edit::Allow),
        4 => some().prop_map(Edit::Deny),
        2 => some().prop_map(Edit::Extend),
        1 => Just(Edit::AllowAll),
        1 => Just(Edit::DenyAll),
    ]
}

impl Edit {
    fn apply(&self, set_of: &mut GrantSet, model: &mut Names) {
        match self {
            Edit::Insert(n) => {
                set_of.insert(codenames()[*n]);
                model.insert(codenames()[*n].name());
            }
            Edit::Remove(n) => {
                set_of.remove(codenames()[*n]);
                model.remove(codenames()[*n].name());
            }
            Edit::Allow(some) => {
                set_of.allow(&set(some));
                model.extend(names(some));
            }
            Edit::Deny(some) => {
                set_of.deny(&set(some));
                model.retain(|name| !names(some).contains(name));
            }
            Edit::Extend(some) => {
                set_of.extend(set(some).iter());
                model.extend(names(some));
            }
            Edit::AllowAll => {
                set_of.allow(&GrantSet::all());
                model.extend(codenames().iter().map(Codename::name));
            }
            Edit::DenyAll => {
                set_of.deny(&GrantSet::all());
                model.clear();
            }
        }
    }
}

proptest! {
    #[test]
    fn a_set_holds_what_a_set_of_names_holds(edits in vec(edit(), 1..40)) {
        let (mut set, mut model) = (GrantSet::new(), Names::new());
        // Whoever once had all has codenames that other tests declare.
        let mut plain = true;
        for edit in &edits {
            edit.apply(&mut set, &mut model);
            plain = matches!(edit, Edit::DenyAll) || plain && !matches!(edit, Edit::AllowAll);
            for codename in codenames() {
                prop_assert_eq!(set.contains(*codename), model.contains(codename.name()), "{} after {:?}", codename, edit);
            }
            let listed: Names = set.iter().map(|codename| codename.name()).filter(|name| name.starts_with("model.")).collect();
            prop_assert_eq!(&listed, &model);
            if plain {
                prop_assert_eq!(&set, &GrantSet::from_names(&model));
                prop_assert_eq!(set.is_empty(), model.is_empty());
                prop_assert_eq!(set.iter().count(), model.len());
            }
        }
    }
}

const ROLES: [&str; 3] = ["user", "editor", "owner"];
const USERS: [&str; 2] = ["7", "8"];

/// Whom an overwrite concerns.
#[derive(Debug, Clone, PartialEq)]
enum Whom {
    Everyone,
    Role(&'static str),
    Member(&'static str),
}

/// What somebody changes in the database.
#[derive(Debug, Clone)]
enum OverwriteEdit {
    Grants(Vec<usize>),
    Administrator,
    Roles(Vec<&'static str>),
    Overwrite { object: u32, whom: Whom, deny: Vec<usize>, allow: Vec<usize> },
    Clear { object: u32 },
}

fn change() -> impl Strategy<Value = OverwriteEdit> {
    let whom = prop_oneof![
        Just(Whom::Everyone),
        proptest::sample::select(&ROLES[..]).prop_map(Whom::Role),
        proptest::sample::select(&USERS[..]).prop_map(Whom::Member),
    ];
    // Few codenames here, so that what is said of them meets.
    let some = || vec((0..6_usize).prop_map(|n| n * 25), 0..4);
    prop_oneof![
        3 => some().prop_map(OverwriteEdit::Grants),
        1 => Just(OverwriteEdit::Administrator),
        3 => proptest::sample::subsequence(&ROLES[..], 0..=3).prop_map(OverwriteEdit::Roles),
        9 => (0..2_u32, whom, some(), some())
            .prop_map(|(object, whom, deny, allow)| OverwriteEdit::Overwrite { object, whom, deny, allow }),
        1 => (0..2_u32).prop_map(|object| OverwriteEdit::Clear { object }),
    ]
}

/// The database as plain sets of names.
#[derive(Debug, Default)]
struct Model {
    administrator: bool,
    grants: Names,
    roles: Vec<&'static str>,
    overwrites: Vec<(u32, Whom, Names, Names)>,
}

impl Model {
    fn apply(&mut self, change: &OverwriteEdit) {
        match change {
            OverwriteEdit::Grants(some) => (self.administrator, self.grants) = (false, names(some)),
            OverwriteEdit::Administrator => self.administrator = true,
            OverwriteEdit::Roles(roles) => self.roles.clone_from(roles),
            OverwriteEdit::Overwrite { object, whom, deny, allow } => {
                self.overwrites.push((*object, whom.clone(), names(deny), names(allow)));
            }
            OverwriteEdit::Clear { object } => self.overwrites.retain(|overwrite| overwrite.0 != *object),
        }
    }

    fn may(&self, name: &str) -> bool {
        self.administrator || self.grants.contains(name)
    }

    fn may_on(&self, name: &str, user: &str, object: u32) -> bool {
        let steps: [&dyn Fn(&Whom) -> bool; 3] = [
            &|whom| *whom == Whom::Everyone,
            &|whom| matches!(whom, Whom::Role(role) if self.roles.contains(role)),
            &|whom| matches!(whom, Whom::Member(member) if *member == user),
        ];
        let mut may = self.may(name);
        for concerns in steps {
            let here = || self.overwrites.iter().filter(|(of, whom, ..)| *of == object && concerns(whom));
            may &= !here().any(|(_, _, deny, _)| deny.contains(name));
            may |= here().any(|(_, _, _, allow)| allow.contains(name));
        }
        may || self.administrator
    }
}

/// Writes the change into the source, and says to forget what it concerns.
fn record(staged: &Staged, change: &OverwriteEdit, held: &ConnectionGrants<()>, cache: &GrantCache<()>) {
    match change {
        OverwriteEdit::Grants(some) => staged.user.lock().unwrap().grants = set(some),
        OverwriteEdit::Administrator => staged.user.lock().unwrap().grants = GrantSet::all(),
        OverwriteEdit::Roles(roles) => {
            staged.user.lock().unwrap().roles = roles.iter().map(|&role| role.into()).collect();
        }
        OverwriteEdit::Overwrite { object, whom, deny, allow } => {
            let mut objects = staged.objects.lock().unwrap();
            let known = objects.entry(key(*object)).or_default();
            let (so_far, deny, allow) = (std::mem::take(known), set(deny), set(allow));
            *known = match whom {
                Whom::Everyone => so_far.deny_everyone(deny).allow_everyone(allow),
                Whom::Role(role) => so_far.deny_role(*role, deny).allow_role(*role, allow),
                Whom::Member(member) => so_far.deny_member(*member, deny).allow_member(*member, allow),
            };
        }
        OverwriteEdit::Clear { object } => staged.set(*object, Overwrites::new()),
    }
    match change {
        OverwriteEdit::Administrator => cache.forget_all(),
        OverwriteEdit::Grants(_) | OverwriteEdit::Roles(_) => held.forget(),
        OverwriteEdit::Overwrite { object, .. } | OverwriteEdit::Clear { object } => cache.forget_object(&key(*object)),
    }
}

proptest! {
    #[test]
    fn a_connection_may_what_the_database_says(user in proptest::sample::select(&USERS[..]), changes in vec(change(), 1..24)) {
        let (staged, mut model) = (Staged::open(), Model::default());
        let cache = staged.cache();
        let held = ConnectionGrants::new(cache.clone());
        for change in &changes {
            model.apply(change);
            record(&staged, change, &held, &cache);
            for codename in codenames().iter().step_by(25) {
                let name = codename.name();
                let may = block_on(held.may(&(), *codename)).unwrap();
                prop_assert_eq!(may, model.may(name), "{} after {:?}", name, change);
                let wanted = [0, 1].map(|object| model.may_on(name, user, object));
                for object in [0, 1] {
                    let may = block_on(held.may_on(&(), user, *codename, &[key(object)])).unwrap();
                    prop_assert_eq!(may, wanted[object as usize], "{} on {} after {:?}", name, object, change);
                    prop_assert_eq!(held.known_on(*codename, &key(object)), Some(may));
                }
                let both = block_on(held.may_on(&(), user, *codename, &[key(0), key(1)])).unwrap();
                prop_assert_eq!(both, wanted[0] && wanted[1]);
            }
        }
    }
}

/// Another thread may do anything between any two steps: what is revoked is revoked by the time that it is told.
#[test]
fn what_is_told_is_so_for_whoever_asks_afterwards() {
    let staged = Staged::open();
    let cache = staged.cache();
    let done = AtomicBool::new(false);
    let turn = |id: u32, own: &ConnectionGrants<()>, round: u32| {
        let may = round.is_multiple_of(3);
        staged.set(id, if may { allowed(READ) } else { denied(READ) });
        cache.forget_object(&key(id));
        assert_eq!(block_on(own.may_on(&(), "7", READ, &[key(id)])).unwrap(), may);
        if round.is_multiple_of(7) {
            cache.forget_all();
        }
    };
    thread::scope(|threads| {
        let writers = [0, 1].map(|id| {
            let own = ConnectionGrants::new(cache.clone());
            let turn = &turn;
            threads.spawn(move || (0..2000).for_each(|round| turn(id, &own, round)))
        });
        threads.spawn(|| {
            let other = ConnectionGrants::new(cache.clone());
            while !done.load(Ordering::SeqCst) {
                block_on(other.may_on(&(), "8", READ, &keys(&[1, 0, 2]))).unwrap();
            }
        });
        let written = writers.map(|writer| writer.join().is_ok());
        done.store(true, Ordering::SeqCst);
        assert_eq!(written, [true, true]);
    });
}
