use std::time::Duration;

use quote::ToTokens;
use syn::{Attribute, parse_quote, parse_str};

use super::{History, Since};
use crate::syntax::group::GroupArgs;
use crate::syntax::token_string::print;

/// Reads the arguments of `#[group]`. Returns the history and the messages.
fn read(arguments: &str) -> (Option<History>, Vec<String>) {
    let arguments: proc_macro2::TokenStream = parse_str(arguments).unwrap();
    let attribute: Attribute = parse_quote!(#[group(#arguments)]);
    let (arguments, error) = GroupArgs::read(&attribute);
    (arguments.history, error.into_iter().flatten().map(|error| error.to_string()).collect())
}

/// Returns the function of `since`.
fn function(history: &History) -> Option<String> {
    match &history.since {
        Since::AllowAny => None,
        Since::Function(path) => Some(print(path.to_token_stream())),
    }
}

#[test]
fn history_with_keys_in_any_order_is_read() {
    for (list, events, seconds, since) in [
        ("events = 100, age = \"10m\", since = AllowAny", 100, 600, None),
        ("since = Room::member_since, age = \"1s\", events = 1,", 1, 1, Some("Room::member_since")),
        ("age = \"24h\", since = \" AllowAny \", events = 10_000", 10_000, 86_400, None),
        ("events = 0x10, age = \"90s\", since = \"AllowAny\"", 16, 90, None),
        ("events = 5, age = \"1500ms\", since = ::chat::since::<A, B>", 5, 1, Some("::chat::since::<A, B>")),
        ("events = 5, age = \"5s\", since = <Room as Kept>::since", 5, 5, Some("<Room as Kept>::since")),
    ] {
        let (history, messages) = read(&format!("history({list}), local"));
        assert_eq!(messages, [""; 0], "{list}");
        let history = history.unwrap();
        assert_eq!((history.max_events, history.max_age.as_secs()), (events, seconds), "{list}");
        assert_eq!(function(&history).as_deref(), since, "{list}");
    }
}

/// Checks that each text has one error, and that the history is there nevertheless.
fn assert_one_error<'a>(cases: impl IntoIterator<Item = (&'a str, &'a str)>) {
    for (arguments, expected) in cases {
        let (history, messages) = read(arguments);
        assert_eq!(messages.len(), 1, "{arguments}: {messages:?}");
        assert!(messages[0].contains(expected), "{arguments}: {messages:?}");
        assert!(history.is_some(), "{arguments}");
    }
}

#[test]
fn history_without_a_list_is_rejected() {
    let example = "write, for example, `history(events = 100, age = \"10m\", since = AllowAny)`";
    assert_one_error([
        ("history", example),
        ("history =", example),
        ("history = 100", example),
        ("history = (events = 100), name = \"Room\"", example),
        ("history[events = 100]", example),
        ("history()", "`history` is empty"),
        ("history(), local", example),
        ("history(events = 100, age = \"10m\", since = AllowAny) = 5", "expected a `,`"),
        ("history(events = 5, age = \"5s\", since = AllowAny), history()", "`history` is given twice"),
    ]);
}

#[test]
fn history_with_a_wrong_key_reports_it() {
    assert_one_error([
        ("history(max_events = 100)", "write `events`"),
        ("history(size = 100, age = \"10m\")", "write `events`"),
        ("history(count = 100)", "write `events`"),
        ("history(event = 100)", "write `events`"),
        ("history(ttl = \"10m\")", "write `age`"),
        ("history(max_age = \"10m\")", "write `age`"),
        ("history(window = \"10m\")", "unknown key `window`; `history` takes `events`, `age`, `since`"),
        ("history(100)", "expected a key; `history` takes `events`, `age`, `since`"),
        ("history(events = 100, events = 100, age = \"10m\")", "`events` is given twice"),
        ("history(events = 100 age = \"10m\", since = AllowAny)", "expected a `,` before this"),
        ("history(events = 100, since = AllowAny)", "`history` has no `age`; write how long an event is kept"),
        ("history(age = \"10m\", since = AllowAny)", "`history` has no `events`; write how many events"),
        ("history(events = 100, age = \"10m\")", "`history` has no `since`; write `since = AllowAny` if"),
    ]);
    let (_, messages) = read("history(events = 100)");
    assert_eq!(messages.len(), 2, "{messages:?}");
    let (_, messages) = read("history(events = 0, age = \"1d\", since = DenyAll), local = 5");
    assert_eq!(messages.len(), 4, "{messages:?}");
}

#[test]
fn half_written_history_has_one_error() {
    assert_one_error([
        ("history(events)", "`events` needs a value; write `events = 100`"),
        ("history(events = )", "`events` needs a value; write `events = 100`"),
        ("history(events = 100, age = )", "`age` needs a value; write `age = \"10m\"`"),
        ("history(events = 100, age = \"10m\", since)", "`since` needs a value; write `since = AllowAny`"),
        ("history(events = 100, since = Room::)", "expected `AllowAny` or the path of a function"),
        ("history(events = 100, since = Room:: , age = \"10m\")", "expected `AllowAny` or the path of a function"),
        ("history(events = 100, s)", "unknown key `s`"),
    ]);
}

#[test]
fn number_of_events_out_of_range_is_rejected() {
    let rest = "age = \"10m\", since = AllowAny";
    for (value, expected) in [
        ("0", "a history of zero events keeps nothing; write `events = 1` or more, or remove `history`"),
        ("-5", "`-5` is negative; write `events = 5`"),
        ("-0", "`-0` is negative; write `events = 100`"),
        ("- 5", "`-5` is negative; write `events = 5`"),
        ("5u8", "`5u8` has a suffix; write `events = 5`"),
        ("99999u32", "`99999u32` has a suffix; write `events = 100`"),
        (
            "10_001",
            "`10_001` is more than 10000, the largest number of events in a history; write `events = 10000` or less",
        ),
        ("99999999999999999999", "is more than 10000"),
        ("\"50\"", "the value of `events` is a number; write `events = 50`"),
        ("\"many\"", "the value of `events` is a number; write `events = 100`"),
        ("1.5", "`1.5` is not a whole number; write it in digits, as in `events = 100`"),
        ("MAX", "`MAX` is not a whole number"),
        ("50 + 50", "is not a whole number"),
        ("(50)", "`(50)` is not a whole number"),
    ] {
        assert_one_error([(&*format!("history(events = {value}, {rest})"), expected)]);
    }
}

#[test]
fn age_out_of_range_is_rejected() {
    for (value, expected) in [
        ("10", "the value of `age` is a string; write `age = \"10m\"`"),
        ("ten", "the value of `age` is a string; write `age = \"10m\"`"),
        ("\"500ms\"", "`500ms` is less than a second, the shortest age"),
        ("\"25h\"", "`25h` is more than a day, the longest age; write `age = \"24h\"` or less"),
        ("\"10min\"", "`min` is not a unit of `age`"),
    ] {
        assert_one_error([(&*format!("history(age = {value}, events = 5, since = AllowAny)"), expected)]);
    }
    let (history, _) = read("history(events = 100, age = \"1d\", since = AllowAny)");
    assert_eq!(history.unwrap().max_age, Duration::from_secs(1));
}

#[test]
fn since_that_is_no_function_is_rejected() {
    let what_to_write = "write `since = AllowAny` if every user who may join may see all events that are kept, or the path of an \
                         async function that returns the time from which the user may see events, as in `since = Room::member_since`";
    for (value, expected) in [
        ("Room::member_since(room)", "is a call; write only the path of the function: `since = Room::member_since`"),
        ("AllowAny()", "`AllowAny()` is a call; write only the path of the function: `since = AllowAny`"),
        ("|room, chat, scope| now()", "`since` takes no closure"),
        ("async |room, chat, scope| now()", "`since` takes no closure"),
        ("\"when joined\"", "the value of `since` is not a string"),
        ("5", "`5` is not the path of a function"),
        ("room.member_since", "`room.member_since` is not the path of a function"),
        ("AllowAny | InRoom", "`AllowAny|InRoom` is not the path of a function"),
        ("!since", "`!since` is not the path of a function"),
        ("(AllowAny)", "`(AllowAny)` is not the path of a function"),
        ("since?", "is not the path of a function"),
        ("members", "`members` is only valid in `publish = members`"),
        ("IsAuthenticated", "`IsAuthenticated` is not a function, and `since` evaluates no permission"),
        ("portcullis::IsAuthenticated", "is not a function, and `since` evaluates no permission"),
        ("room::InRoom", "`room::InRoom` is not a function"),
    ] {
        let arguments = format!("history(events = 5, age = \"5s\", since = {value})");
        assert_one_error([(&*arguments, expected)]);
        assert!(value.contains('(') || read(&arguments).1[0].ends_with(what_to_write), "{value}");
    }
    assert_one_error([
        (
            "history(events = 5, age = \"5s\", since = DenyAll)",
            "with `DenyAll` no user could see an event that is kept",
        ),
        ("history(events = 5, age = \"5s\", since = portcullis::AllowAny)", "write `since = AllowAny`"),
        ("history(events = 5, age = \"5s\", since = \"Room::member_since\")", "write `since = Room::member_since`"),
    ]);
}

#[test]
fn key_of_the_history_outside_its_list_is_rejected() {
    for (arguments, key) in [("age = \"10m\"", "age"), ("since = AllowAny", "since")] {
        let (history, messages) = read(arguments);
        assert!(history.is_none() && messages.len() == 1);
        assert!(messages[0].starts_with(&format!("`{key}` belongs in the list of `history`")), "{messages:?}");
    }
}
