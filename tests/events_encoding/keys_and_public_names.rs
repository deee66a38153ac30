//! Coalescing keys and public names of groups: named and positional fields, raw identifiers, several types.

use portcullis::__private::Emits;
use portcullis::{AllowAny, Event, Group, consumer};

#[derive(Event)]
struct Priced {
    symbol: String,
    r#type: Box<[u8]>,
}
#[derive(Event)]
struct Named {
    r#type: Box<[u8]>,
}
#[derive(Event)]
struct Moved(u32, Option<u64>);
#[derive(Event)]
struct Counted(u32);

struct Market;

#[consumer]
impl Market {
    #[event(permission = AllowAny, key = symbol)]
    fn priced(&self, event: &Priced) -> usize {
        event.r#type.len()
    }

    #[event(permission = AllowAny, key = "type")]
    fn named(&self, event: &Named) -> usize {
        event.r#type.len()
    }

    #[event(permission = AllowAny, key = 1)]
    fn moved(&self, event: &Moved) -> u32 {
        event.0
    }

    #[event(permission = AllowAny)]
    fn counted(&self, event: &Counted) -> u32 {
        event.0
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Market, permission = AllowAny, publish = members, events(Priced), public_name = "rooms/{room_id}/{{{type}}}")]
struct Room {
    room_id: u32,
    r#type: String,
}

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Market, permission = AllowAny, publish = members, events(Moved), public_name = "{1}:{0}")]
struct Pair(u32, String);

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Market, permission = AllowAny, publish = members, events(Moved), public_name = "lobby {{0}}")]
struct Lobby;

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Market, permission = AllowAny, publish = members, events(Moved))]
struct Nameless;

macro_rules! group {
    ($name:ident, $field:ident, $public:literal) => {
        #[derive(Clone, PartialEq, Eq, Hash, Group)]
        #[group(consumer = Market, permission = AllowAny, publish = members, events(Moved), public_name = $public)]
        struct $name {
            $field: u32,
        }
    };
}

group!(Written, number, "written/{number}");

#[test]
fn public_name_is_that_of_the_pattern() {
    let room = Room { room_id: 3, r#type: "open".to_owned() };
    assert_eq!(room.public_name().as_deref(), Some("rooms/3/{open}"));
    assert_eq!(Pair(1, "one".to_owned()).public_name().as_deref(), Some("one:1"));
    assert_eq!(Lobby.public_name().as_deref(), Some("lobby {0}"));
    assert_eq!(Nameless.public_name(), None);
    assert_eq!(Written { number: 7 }.public_name().as_deref(), Some("written/7"));
}

#[test]
fn events_coalesce_by_the_key_and_their_type() {
    let priced = |symbol: &str, kind: u8| Priced { symbol: symbol.to_owned(), r#type: Box::new([kind]) };
    let key = |event: &Priced| Market.coalescing_hash(event);
    assert!(key(&priced("A", 1)).is_some());
    assert_eq!(key(&priced("A", 1)), key(&priced("A", 2)));
    assert_ne!(key(&priced("A", 1)), key(&priced("B", 1)));
    let key = |kind: u8| Market.coalescing_hash(&Named { r#type: Box::new([kind]) });
    assert!(key(1) == key(1) && key(1) != key(2));
    assert_eq!(Market.coalescing_hash(&Moved(1, None)), Market.coalescing_hash(&Moved(2, None)));
    assert_ne!(Market.coalescing_hash(&Moved(1, None)), Market.coalescing_hash(&Moved(1, Some(1))));
    assert_eq!(Market.coalescing_hash(&Counted(5)), None);
    let is_equal = |one, other| <Market as Emits<Priced>>::has_equal_key(&priced(one, 1), &priced(other, 2));
    assert!(is_equal("A", "A") && !is_equal("A", "B"));
    assert!(Market::has_equal_key(&Moved(1, None), &Moved(2, None)));
    assert!(!Market::has_equal_key(&Moved(1, None), &Moved(1, Some(1))));
    assert!(!Market::has_equal_key(&Counted(5), &Counted(5)));
}
