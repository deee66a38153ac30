//! The fuzz target from frame to reply: any texts, sent by an anonymous client and by a member, are answered as a plain model
//! of the consumer says, and actions run exactly if it says so.
//!
//! `cargo test` runs it on some random inputs, libFuzzer for as long as wanted (`cargo install cargo-bolero`):
//!
//! ```text
//! cargo bolero test --rustc-bootstrap --sanitizer NONE --package portcullis-fuzz -T 20m \
//!     any_frames_are_answered_as_a_plain_model_says
//! ```
//!
//! The other targets are `transport/websocket/fuzz.rs`, `message/request/fuzz.rs` and `dispatch/route_match/fuzz.rs` of the
//! runtime, and `fuzz_tests.rs` of the macros.

#![cfg(test)]

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex};

use portcullis::testing::connect;
use portcullis::{
    AllowAny, Context, DenyAll, IsAuthenticated, Limits, Load, Object, ObjectPermission, Permission, PermissionContext,
    Result, User, consumer, handler, websocket,
};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// What messages consist of. A byte of the input stands for one of these, or for itself.
const PARTS: [&str; 48] = [
    "\"action\":\"ping\"",
    "\"action\":\"say\"",
    "\"action\":\"wipe\"",
    "\"action\":\"strict\"",
    "\"action\":\"read\"",
    "\"action\":\"edit\"",
    "\"action\":\"edit\"",
    "\"action\":\"e\\u0064it\"",
    "\"action\":\"authenticate\"",
    "\"action\":\"cancel\"",
    "\"action\":",
    "\"route\":\"rooms/2/\"",
    "\"route\":\"rooms/2/\"",
    "\"route\":\"rooms/3/?note=1\"",
    "\"route\":\"rooms/x/\"",
    "\"route\":\"rooms/2/more\"",
    "\"route\":\"rooms/2\"",
    "\"route\":\"rooms/+2/\"",
    "\"route\":\"\"",
    "\"route\":\"?\"",
    "\"route\":",
    "\"request_id\":1",
    "\"request_id\":{\"a\":[1]}",
    "\"request_id\":\"\\ud83d\"",
    "\"text\":\"hi\"",
    "\"text\":\"\\u00e9\\n\"",
    "\"text\":null",
    "\"text\":\"\\udc00\"",
    "\"times\":3",
    "\"times\":null",
    "\"times\":256",
    "\"times\":-0",
    "\"note\":1",
    "\"note\":2",
    "\"note\":3",
    "\"note\":\"1\"",
    "\"note\":1.0",
    "\"n\":-7",
    "\"n\":9007199254740993",
    "\"room_id\":2",
    "\"x\":[[[{}]]]",
    "{",
    "}",
    ",",
    ":",
    "[",
    "]",
    "\"",
];

/// Calls that succeed, the first ones also for an anonymous client.
const CALLS: [&str; 8] = [
    r#""action":"ping""#,
    r#""action":"strict","n":-7"#,
    r#""action":"strict","request_id":"a","n":0"#,
    r#""action":"say","text":"h\u0069""#,
    r#""times":255,"action":"say","text":"","x":{}"#,
    r#""route":"rooms/2/","action":"read""#,
    r#""action":"edit","text":"é","note":1,"route":"rooms/4/?note=2""#,
    r#""route":"rooms\/0/","note":1,"text":"\\","action":"edit""#,
];

/// How often each status has been expected, to show that random inputs reach what is compared.
static STATUSES: Mutex<BTreeMap<u16, usize>> = Mutex::new(BTreeMap::new());

/// What no client but its author may see.
const SECRET: &str = "text of a note";

#[derive(Clone)]
struct Member;

impl User for Member {
    fn id(&self) -> Cow<'_, str> {
        "ada".into()
    }
}

/// The actions that have run.
type Calls = Arc<Mutex<Vec<String>>>;

struct Chat {
    calls: Calls,
    rooms: Rooms,
}

struct Rooms {
    calls: Calls,
}

/// A note of room 2. The member is the author of the odd ones.
struct Note {
    id: u32,
}

impl Load<Rooms> for Note {
    type Key = u32;
    const CAPTURES: &'static [&'static str] = &[];

    async fn load(_: &Rooms, _: &Context<'_, Member>, id: &u32) -> Result<Option<Note>> {
        Ok((1..=2).contains(id).then_some(Note { id: *id }))
    }
}

struct Author;

impl ObjectPermission<Note, Rooms> for Author {
    async fn has_object_permission(&self, _: &Rooms, _: &PermissionContext<'_, Member>, note: &Note) -> Result<bool> {
        Ok(note.id % 2 == 1)
    }
}

/// The member is in the rooms with even numbers.
struct InRoom(u32);

impl Permission<Rooms> for InRoom {
    async fn has_permission(&self, _: &Rooms, _: &PermissionContext<'_, Member>) -> Result<bool> {
        Ok(self.0.is_multiple_of(2))
    }
}

fn record(calls: &Calls, call: String) -> String {
    calls.lock().unwrap().push(call.clone());
    call
}

#[consumer(user = Member)]
impl Chat {
    #[action(permission = AllowAny)]
    async fn ping(&self) -> String {
        record(&self.calls, "ping".to_owned())
    }

    #[action(permission = IsAuthenticated)]
    async fn say(&self, text: String, times: Option<u8>) -> String {
        record(&self.calls, format!("say {text:?} {times:?}"))
    }

    #[action(permission = DenyAll)]
    async fn wipe(&self) -> String {
        record(&self.calls, "wipe".to_owned())
    }

    #[action(permission = AllowAny, deny_unknown)]
    async fn strict(&self, n: i64) -> String {
        record(&self.calls, format!("strict {n}"))
    }

    #[route("rooms/{room_id}/")]
    fn rooms(&self) -> &Rooms {
        &self.rooms
    }
}

#[handler(user = Member, permission = "IsAuthenticated & InRoom({room_id})")]
impl Rooms {
    #[action]
    async fn read(&self, #[path] room_id: u32) -> String {
        record(&self.calls, format!("read {room_id}"))
    }

    #[action(permission = Author(note))]
    async fn edit(&self, note: Object<Note>, text: &str) -> String {
        record(&self.calls, format!("edit {} {text:?} {SECRET}", note.id))
    }
}

/// The entries of an object in the order of the text, repeated ones included. A copy of `Entries` in
/// `runtime/src/message/request/fuzz.rs`, which is private to its crate.
struct Entries<'a>(Vec<(String, &'a str)>);

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Entries<'de>, D::Error> {
        struct EntriesVisitor;

        impl<'de> Visitor<'de> for EntriesVisitor {
            type Value = Entries<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<'de>, A::Error> {
                let mut entries = Vec::new();
                while let Some((key, value)) = map.next_entry::<String, &RawValue>()? {
                    entries.push((key, value.get()));
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(EntriesVisitor)
    }
}

impl Entries<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|entry| entry.0 == key).map(|entry| entry.1)
    }

    /// Returns the argument of an action, or the status of its refusal.
    fn argument<T: for<'a> Deserialize<'a>>(&self, key: &str) -> Result<T, u16> {
        serde_json::from_str(self.get(key).unwrap_or("null")).map_err(|_| 400)
    }
}

/// The model: returns what the action that a message calls returns, or the status of its refusal.
fn answer(text: &str, is_member: bool) -> Result<String, u16> {
    let entries: Entries<'_> = serde_json::from_str(text).map_err(|_| 400_u16)?;
    let mut keys = HashSet::new();
    if !entries.0.iter().all(|(key, _)| keys.insert(key)) {
        return Err(400);
    }
    let action: String = entries.argument("action")?;
    let route: String = entries.get("route").map_or(Ok(String::new()), |_| entries.argument("route"))?;
    let route = route.split('?').next().unwrap_or_default();
    if let Some((room, rest)) = route.strip_prefix("rooms/").and_then(|rest| rest.split_once('/'))
        && !room.is_empty()
    {
        return if is_member { answer_in_room(&entries, room, rest, &action) } else { Err(403) };
    }
    match (route, &*action) {
        ("", "ping") => Ok("ping".to_owned()),
        ("", "say") if is_member => {
            let (text, times): (String, Option<u8>) = (entries.argument("text")?, entries.argument("times")?);
            Ok(format!("say {text:?} {times:?}"))
        }
        ("", "say" | "wipe") => Err(403),
        ("", "strict") => {
            let is_known = |key: &str| ["action", "route", "request_id", "n"].contains(&key);
            let n: i64 = entries.argument("n")?;
            if entries.0.iter().all(|(key, _)| is_known(key)) { Ok(format!("strict {n}")) } else { Err(400) }
        }
        ("", _) => Err(405),
        _ => Err(404),
    }
}

/// What a member may do in a room.
fn answer_in_room(entries: &Entries<'_>, room: &str, rest: &str, action: &str) -> Result<String, u16> {
    let room: u32 = room.parse().map_err(|_| 404_u16)?;
    match action {
        _ if room % 2 == 1 => Err(403),
        _ if !rest.is_empty() => Err(404),
        "read" => Ok(format!("read {room}")),
        "edit" => {
            let (note, text): (u32, String) = (entries.argument("note")?, entries.argument("text")?);
            match note {
                1 => Ok(format!("edit 1 {text:?} {SECRET}")),
                // A missing note is refused like one of another author, so that its existence is not revealed.
                _ => Err(403),
            }
        }
        _ => Err(405),
    }
}

/// Builds the messages of an input. Most are calls of an action with its arguments, or objects with an action, a route and
/// other entries; any text is possible too.
fn messages(input: &[u8]) -> Vec<String> {
    let messages = input.split(|byte| *byte >= 0xF8).take(8).map(|input| match input {
        [kind, input @ ..] if kind % 8 > 2 => {
            let call = CALLS[usize::from(kind / 8) % CALLS.len()];
            let others = input.iter().take(usize::from(kind / 64)).filter(|byte| **byte >= 128);
            let others = others.map(|byte| PARTS[usize::from(21 + byte % 21)]);
            let entries: Vec<_> = [call].into_iter().chain(others).collect();
            format!("{{{}}}", entries.join(","))
        }
        [kind, action, route, input @ ..] if kind % 8 > 0 => {
            let (action, route) = (usize::from(action % 11), usize::from(11 + route % 11));
            let head =
                if route == 21 { PARTS[action].to_owned() } else { format!("{},{}", PARTS[action], PARTS[route]) };
            let others = input.iter().take(usize::from(kind / 8 % 4)).map(|byte| match byte {
                240.. => char::from(byte / 2).to_string(),
                _ => format!(",{}", PARTS[21 + usize::from(byte % 21)]),
            });
            format!("{{{head}{}}}", others.collect::<String>())
        }
        input => {
            let parts = input.iter().take(64).map(|byte| match byte {
                96..224 => char::from(byte - 96).to_string(),
                _ => PARTS[usize::from(*byte) % PARTS.len()].to_owned(),
            });
            parts.collect()
        }
    });
    messages.filter(|text| has_readable_id(text)).collect()
}

/// Returns whether the test client can read the reply to a message, which repeats its `request_id` byte for byte: `serde_json`
/// reads no unpaired surrogates, unlike browsers.
fn has_readable_id(text: &str) -> bool {
    let entries = serde_json::from_str::<Entries<'_>>(text);
    !entries.is_ok_and(|entries| entries.get("request_id").is_some_and(|id| serde_json::from_str::<Value>(id).is_err()))
}

async fn check(input: &[u8]) {
    let (messages, calls) = (messages(input), Calls::default());
    let chat = websocket(Chat { calls: calls.clone(), rooms: Rooms { calls: calls.clone() } });
    // The target of the envelope covers these limits.
    let chat = chat.limits(Limits { max_nesting: 1000, max_request_id_bytes: 10_000, ..Limits::default() });
    for is_member in [false, true] {
        let connection = connect(&chat);
        let connection = if is_member { connection.user(Member) } else { connection };
        let mut client = connection.open().await.unwrap();
        for text in &messages {
            client.send(text);
        }
        for text in &messages {
            let (reply, expected) = (client.reply().await, answer(text, is_member));
            let status = expected.as_ref().err().copied().unwrap_or(200);
            *STATUSES.lock().unwrap().entry(status).or_default() += 1;
            assert_eq!(reply.status(), status, "{text} -> {}", reply.text());
            assert_eq!(reply.data().as_str(), expected.as_deref().ok(), "{text} -> {}", reply.text());
            assert!(expected.is_ok() || !reply.text().contains(SECRET), "{text} -> {}", reply.text());
            let sent_id = serde_json::from_str::<Entries<'_>>(text).ok().and_then(|entries| {
                let ids: Vec<_> = entries.0.iter().filter(|(key, _)| key == "request_id").collect();
                ids.first().map(|(_, value)| (*value).to_owned())
            });
            let echoed = serde_json::from_str::<Entries<'_>>(reply.text()).unwrap();
            assert_eq!(echoed.get("request_id"), sent_id.as_deref(), "{text} -> {}", reply.text());
            let errors = reply.value()["errors"].as_array().map(Vec::len);
            assert_eq!(errors, Some(usize::from(expected.is_err())), "{}", reply.text());
            assert_eq!(reply.value()["data"] == Value::Null, expected.is_err(), "{}", reply.text());
        }
        client.expect_silence().await;
        let expected: Vec<_> = messages.iter().filter_map(|text| answer(text, is_member).ok()).collect();
        assert_eq!(*calls.lock().unwrap(), expected);
        calls.lock().unwrap().clear();
    }
}

#[test]
fn any_frames_are_answered_as_a_plain_model_says() {
    bolero::check!().with_iterations(3000).for_each(|input| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.unwrap().block_on(check(input));
    });
    let statuses = STATUSES.lock().unwrap();
    println!("{statuses:?}");
    // Inputs that a fuzzer has stored are tried too, and are not random.
    if Path::new(env!("CARGO_MANIFEST_DIR")).join("__fuzz__").exists() {
        return println!("the shares are not compared: there are stored inputs");
    }
    let total: usize = statuses.values().sum();
    // In thousandths; far below what random inputs reach on average.
    for (status, thousandths) in [(200, 250), (400, 50), (403, 50), (404, 10), (405, 10)] {
        let count = statuses.get(&status).copied().unwrap_or(0);
        assert!(count > 0 && count * 1000 >= thousandths * total, "{count} times {status}: {statuses:?}");
    }
}
