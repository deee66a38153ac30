//! Fingerprints and names: what machines tell types of events and groups apart by.

use std::panic::catch_unwind;

use portcullis::{AllowAny, Event, Group, consumer, websocket};
use serde::{Deserialize, Serialize};

/// Declares a type of the same name in a module of its own.
macro_rules! variants {
    ($($module:ident { $item:item })+) => {$(
        #[allow(dead_code, unreachable_pub, reason = "only the fingerprints are read")]
        mod $module {
            #[allow(unused_imports)]
            use portcullis::Event;
            #[allow(unused_imports)]
            use serde::Serialize;

            $item
        }
    )+};
}

variants! {
    original { #[derive(Event)] pub struct Said { pub id: u32, pub text: String } }
    moved { #[derive(Event)] pub(crate) struct Said { id: u32, text: String } }
    skipped {
        #[derive(Event, Serialize)]
        pub struct Said { #[serde(skip)] pub id: u32, #[serde(default)] pub text: String }
    }
    local { #[derive(Event)] #[event(local)] pub struct Said { pub id: u32, pub text: String } }
    renamed_back { #[derive(Event)] #[event(name = "Said")] pub struct Told { pub id: u32, pub text: String } }
    added { #[derive(Event)] pub struct Said { pub id: u32, pub text: String, pub room: u32 } }
    renamed { #[derive(Event)] pub struct Said { pub id: u32, pub body: String } }
    retyped { #[derive(Event)] pub struct Said { pub id: u64, pub text: String } }
    reordered { #[derive(Event)] pub struct Said { pub text: String, pub id: u32 } }
    positional { #[derive(Event)] pub struct Said(pub u32, pub String); }
    renamed_type { #[derive(Event)] #[event(name = "Told")] pub struct Said { pub id: u32, pub text: String } }
}

#[test]
fn fingerprint_depends_on_name_and_fields_only() {
    // The FNV-1a hash of `struct Said {id: u32, text: String}`: it must never change between builds.
    let original = <original::Said as Event>::FINGERPRINT;
    assert_eq!(original, fnv_1a("struct Said {id: u32, text: String}"));
    for same in [
        <moved::Said as Event>::FINGERPRINT,
        <skipped::Said as Event>::FINGERPRINT,
        <local::Said as Event>::FINGERPRINT,
        <renamed_back::Told as Event>::FINGERPRINT,
    ] {
        assert_eq!(same, original);
    }
    let others = [
        original,
        <added::Said as Event>::FINGERPRINT,
        <renamed::Said as Event>::FINGERPRINT,
        <retyped::Said as Event>::FINGERPRINT,
        <reordered::Said as Event>::FINGERPRINT,
        <positional::Said as Event>::FINGERPRINT,
        <renamed_type::Said as Event>::FINGERPRINT,
    ];
    for (index, fingerprint) in others.iter().enumerate() {
        assert!(!others[..index].contains(fingerprint), "{index}");
    }
}

fn fnv_1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

#[derive(Event)]
struct Said;

#[derive(Event, Serialize, Deserialize)]
struct Task(u32);

#[derive(Event)]
struct Changed<T>(T);

mod first {
    use super::{AllowAny, Group, Said, Twins};

    #[derive(Clone, PartialEq, Eq, Hash, Group)]
    #[group(consumer = Twins, permission = AllowAny, publish = members, events(Said))]
    pub(super) struct Room(pub u32);
}

mod second {
    use super::{AllowAny, Group, Said, Twins};

    #[derive(Clone, PartialEq, Eq, Hash, Group)]
    #[group(consumer = Twins, permission = AllowAny, publish = members, events(Said), local)]
    pub(super) struct Room(&'static str);
}

/// Has two groups of one name.
struct Twins;

#[consumer]
impl Twins {
    #[event(permission = AllowAny)]
    fn said(_: &Said) -> u32 {
        5
    }
}

#[test]
fn groups_with_equal_names_fail_at_start() {
    let panic = catch_unwind(|| websocket(Twins)).unwrap_err();
    assert_eq!(
        *panic.downcast::<String>().unwrap(),
        "consumer `Twins` has two groups named `Room`, `events_encoding::identity::first::Room` and \
         `events_encoding::identity::second::Room`; rename one of them with `#[group(.., name = \"..\")]`"
    );
}

/// Has renamed what would clash: its second group, and an event. A generic event is several.
struct Distinct<P>(P);

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Distinct<u8>, permission = AllowAny, publish = members, events(renamed_type::Said))]
struct Room(u32);

mod other {
    use super::{AllowAny, Changed, Distinct, Group, Said, Task};

    #[derive(Clone, PartialEq, Eq, Hash, Group)]
    #[group(
        consumer = Distinct<u8>, permission = AllowAny, publish = members, name = "OtherRoom",
        events(Said, Changed<Task>, Changed<u32>)
    )]
    pub(super) struct Room(pub u32);
}

#[consumer]
impl<P: Send + Sync + 'static> Distinct<P> {
    #[event(permission = AllowAny)]
    fn said(_: &Said) -> u32 {
        5
    }

    #[event(permission = AllowAny)]
    fn told(event: &renamed_type::Said) -> u32 {
        event.id
    }

    #[event(permission = AllowAny)]
    fn task_changed(event: &Changed<Task>) -> u32 {
        event.0.0
    }

    #[event(permission = AllowAny)]
    fn number_changed(event: &Changed<u32>) -> u32 {
        event.0
    }
}

#[test]
fn renamed_types_and_generic_events_start() {
    let publisher = websocket(Distinct(5_u8)).publisher();
    publisher.publish(&Room(1), renamed_type::Said { id: 1, text: String::new() });
    publisher.publish(&other::Room(1), Changed(Task(1)));
    assert_eq!(publisher.counters().published, 2);
}

/// Clashes only when it is mounted, because it is generic.
struct Clashing<P>(P);

type NumberChanged = Changed<u32>;
type TaskChanged = Changed<Task>;

#[consumer]
impl<P: Send + Sync + 'static> Clashing<P> {
    #[event(permission = AllowAny)]
    fn number_changed(event: &NumberChanged) -> u32 {
        event.0
    }

    #[event(permission = AllowAny)]
    fn task_changed(event: &TaskChanged) -> u32 {
        event.0.0
    }
}

#[test]
fn events_with_equal_names_in_a_generic_consumer_fail_at_start() {
    let panic = catch_unwind(|| websocket(Clashing(5_u8))).unwrap_err();
    assert_eq!(
        *panic.downcast::<String>().unwrap(),
        "consumer `Clashing` has two events named `Changed`, both of the generic type `events_encoding::identity::Changed`; \
         write the type with its arguments, not an alias, in the `#[event]` methods"
    );
}
