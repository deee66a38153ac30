//! The fuzz target of the envelope: any text is read as the definition of the protocol says, computed from what `serde_json`
//! reads. The header of `transport/websocket/fuzz.rs` says how to run it for longer.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{Request, RequestLimits};
use crate::fuzz_outcomes::Outcomes;

const LIMITS: RequestLimits = RequestLimits { max_nesting: 4, max_request_id_bytes: 12, max_objects: 4 };

/// Whether random inputs reach what the target compares.
static OUTCOMES: Outcomes = Outcomes::new();

/// The entry that selects the action. More than half of the objects have the first one.
const ACTIONS: [&str; 8] = [
    "\"action\":\"send\"",
    "\"acti\\u006fn\":\"send\"",
    "\"action\": \"\\u0073end\"",
    "\"action\" :\"\"",
    "\"action\":\"é\"",
    "\"\\u0061\\u0063tion\":\"\\n\"",
    "\"action\":7",
    "\"send\":\"action\"",
];
/// Keys and values of the other entries. A byte of the input stands for one of each.
const KEYS: [&str; 16] = [
    "route",
    "request_id",
    "request\\u005fid",
    "r\\u006fute",
    "text",
    "\\u0074ext",
    "n",
    "a",
    "b",
    "\\\"",
    "é",
    "\\ud83d\\ude00",
    "",
    "Action",
    "actions",
    "route ",
];
const VALUES: [&str; 16] = [
    "\"ten bytes.\"",
    "\"rooms/1?page=4\"",
    "\"rooms/2/\"",
    "\"\\ud83d\\ude00?\\\"\"",
    "\"\"",
    "\"?\"",
    "\"\\ud83d\"",
    "\"eleven byte\"",
    "7",
    "-0",
    "1.5e+9",
    "null",
    "true",
    "[ ]",
    "{\"a\":[{}]}",
    "[[[\"]\",[]]]]",
];
/// What other texts consist of. A byte of the input stands for one of these, or for itself.
const PARTS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "\"action\":\"send\"",
    "\"action\":",
    "\"route\":\"rooms/1?page=4\"",
    "\"route\":",
    "\"request_id\":7",
    "\"request_id\":",
    "\"text\":\"hi\"",
    "\"\\u0074ext\":",
    "\"acti\\u006fn\":",
    "\"\\ud83d\\ude00\"",
    "\"\\ud83d\"",
    "\\",
    "\\u00",
    "{}",
    "[]",
    "{\"a\":[{}]}",
    "[[[[[]]]]]",
    "null",
    "true",
    "-0",
    "1.5e+9",
    "01",
    " ",
    "\n",
    "\"twelve bytes and more\"",
];

/// The entries of an object in the order of the text, repeated ones included.
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

/// Returns how deep the arrays and objects of a value are nested.
fn depth(value: &str) -> usize {
    let (mut depth, mut max, mut is_string, mut is_escaped) = (0_usize, 0, false, false);
    for byte in value.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => is_string = !is_string,
            b'{' | b'[' if !is_string => {
                depth += 1;
                max = max.max(depth);
            }
            b'}' | b']' if !is_string => depth -= 1,
            _ => {}
        }
    }
    max
}

/// What a message means: the code of its first mistake, its envelope, and the other entries.
#[derive(Debug, Default, PartialEq, Eq)]
struct Meaning {
    code: Option<&'static str>,
    action: String,
    route: String,
    query: String,
    request_id: Option<String>,
    fields: Vec<(String, String)>,
}

fn meaning(text: &str) -> Meaning {
    let Ok(Entries(entries)) = serde_json::from_str(text) else {
        return Meaning { code: Some("malformed_message"), ..Meaning::default() };
    };
    let mut meaning = Meaning::default();
    let mut codes = Vec::new();
    let (mut has_action, mut has_route) = (false, false);
    for (key, value) in entries {
        if depth(value) >= LIMITS.max_nesting {
            codes.push("too_deep");
        }
        let string = serde_json::from_str::<String>(value).ok();
        match &*key {
            "action" if has_action => codes.push("repeated_key"),
            "action" => match string {
                Some(action) => (meaning.action, has_action) = (action, true),
                None => codes.push("missing_action"),
            },
            "route" if has_route => codes.push("repeated_key"),
            "route" => match string {
                Some(route) => {
                    let (route, query) = route.split_once('?').unwrap_or((&route, ""));
                    (meaning.route, meaning.query, has_route) = (route.to_owned(), query.to_owned(), true);
                }
                None => codes.push("invalid_route"),
            },
            "request_id" if meaning.request_id.is_some() => codes.push("repeated_key"),
            "request_id" if value.len() > LIMITS.max_request_id_bytes => codes.push("request_id_too_long"),
            "request_id" => meaning.request_id = Some(value.to_owned()),
            _ => meaning.fields.push((key, value.to_owned())),
        }
    }
    let mut keys = HashSet::new();
    if !meaning.fields.iter().all(|(key, _)| keys.insert(key)) {
        codes.push("repeated_key");
    }
    if !has_action {
        codes.push("missing_action");
    }
    meaning.code = codes.first().copied();
    meaning
}

/// Builds a message from an input. Most are objects of whole entries, of some of which one byte is replaced by another; any
/// other bytes are possible too.
fn text(input: &[u8]) -> String {
    match input {
        [kind, position, byte, input @ ..] if kind % 8 > 0 => {
            let mut text = object(1 + usize::from(kind / 8 % 4), *position, input);
            let position = usize::from(*position) % text.len();
            if kind % 8 == 1 && text.is_char_boundary(position) && text.is_char_boundary(position + 1) {
                text.replace_range(position..=position, char::from(*byte).encode_utf8(&mut [0; 2]));
            }
            text
        }
        input => parts(input),
    }
}

/// Returns an object with an entry for the action, at any position, and some other entries.
fn object(max_others: usize, position: u8, input: &[u8]) -> String {
    let [action, others @ ..] = input else { return format!("{{{}}}", ACTIONS[0]) };
    let entry = |byte: &u8| format!("\"{}\":{}", KEYS[usize::from(byte % 16)], VALUES[usize::from(byte / 16)]);
    // So many that repeated keys are found by a set.
    let many = 0..if *action >= 232 { 16 } else { 0 };
    let many = many.map(|number| format!("\"f{number}\":{number}"));
    let mut entries: Vec<_> = many.chain(others.iter().take(max_others).map(entry)).collect();
    entries.insert(
        usize::from(position) % (entries.len() + 1),
        ACTIONS[usize::from(action % 16).saturating_sub(8)].to_owned(),
    );
    format!("{{{}}}", entries.join(if *action < 128 { "," } else { " ,\n" }))
}

/// Returns a text in which each byte of the input is a part or itself.
fn parts(input: &[u8]) -> String {
    let mut bytes = Vec::new();
    for byte in input {
        match PARTS.get(usize::from(byte / 2)).filter(|_| byte % 2 == 1) {
            Some(part) => bytes.extend_from_slice(part.as_bytes()),
            None => bytes.push(*byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn check(input: &[u8]) {
    let text = text(input);
    let mut request = Request::default();
    let outcome = request.read(&text, LIMITS);
    let expected = meaning(&text);
    OUTCOMES.record(match expected.code {
        Some("repeated_key") if expected.fields.len() > 16 => "repeated_key of many",
        Some(code) => code,
        None if expected.fields.len() > 16 => "accepted with many fields",
        None if expected.fields.is_empty() && expected.request_id.is_none() && expected.route.is_empty() => "bare",
        None => "accepted",
    });
    assert_eq!(outcome.as_ref().err().map(|error| error.code().to_owned()).as_deref(), expected.code, "{text}");
    let read = Meaning {
        code: expected.code,
        action: request.head.action.to_string(),
        route: request.head.route.to_string(),
        query: request.head.query.to_string(),
        request_id: request.head.echo.request_id.map(str::to_owned),
        fields: request.fields.iter().map(|(key, value)| (key.to_string(), value.text.to_owned())).collect(),
    };
    assert_eq!(read, expected, "{text}");
}

#[test]
fn any_text_is_read_as_the_protocol_defines() {
    bolero::check!().with_iterations(20_000).for_each(check);
    OUTCOMES.assert_shares(
        file!(),
        &[
            ("accepted", 250),
            ("accepted with many fields", 5),
            ("bare", 5),
            ("malformed_message", 50),
            ("missing_action", 20),
            ("invalid_route", 10),
            ("repeated_key", 20),
            ("repeated_key of many", 1),
            ("too_deep", 10),
            ("request_id_too_long", 2),
        ],
    );
}
