//! The error of an argument that cannot be read: what the client learns about its own message, and nothing about the server.

use std::borrow::Cow;
use std::fmt;

use http::StatusCode;
use serde::de;

use crate::error::Error;

/// Maximum length of a quoted key or value of the message, in characters.
const MAX_QUOTED_CHARS: usize = 64;
/// Maximum length of a reason, in characters.
const MAX_REASON_CHARS: usize = 256;

/// The texts by which serde describes a Rust type, and what a client sees instead. Each is followed by the name of the type.
const TYPE_DESCRIPTIONS: [(&str, &str); 10] = [
    ("struct variant ", "an object"),
    ("tuple variant ", "an array"),
    ("unit variant ", "null"),
    ("tuple struct ", "an array"),
    ("unit struct ", "null"),
    ("struct ", "an object"),
    ("internally tagged enum ", "an object"),
    ("adjacently tagged enum ", "an object"),
    ("variant of enum ", "a string"),
    ("enum ", "a string or an object"),
];

/// An error of deserializing arguments: becomes a reply with status 400.
#[derive(Debug)]
pub(super) struct ArgumentError {
    code: &'static str,
    field: Option<Cow<'static, str>>,
    detail: String,
}

impl ArgumentError {
    /// Creates the error of a key whose value cannot be deserialized.
    pub(super) fn invalid_value(field: &str, error: &serde_json::Error) -> ArgumentError {
        let text = error.to_string();
        // The position is relative to the value, not to the message, so a client cannot use it.
        let position = format!(" at line {} column {}", error.line(), error.column());
        ArgumentError::invalid(
            Some(shorten(field, MAX_QUOTED_CHARS).into()),
            text.strip_suffix(&position).unwrap_or(&text),
        )
    }

    /// Converts this error into the error of the reply. Not an `impl From`, which the compiler would propose to users.
    pub(super) fn into_error(self) -> Error {
        let ArgumentError { code, field, detail } = self;
        let error = Error::new(StatusCode::BAD_REQUEST, code, detail);
        match field {
            Some(field) => error.with_field(field),
            None => error,
        }
    }

    fn invalid(field: Option<Cow<'static, str>>, reason: &str) -> ArgumentError {
        let detail = shorten(&replace_type_names(reason), MAX_REASON_CHARS);
        ArgumentError { code: "invalid_argument", field, detail }
    }
}

impl fmt::Display for ArgumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for ArgumentError {}

impl de::Error for ArgumentError {
    fn custom<T: fmt::Display>(message: T) -> ArgumentError {
        ArgumentError::invalid(None, &message.to_string())
    }

    fn missing_field(field: &'static str) -> ArgumentError {
        ArgumentError {
            code: "missing_argument",
            field: Some(field.into()),
            detail: format!("Missing argument `{field}`."),
        }
    }

    fn unknown_field(field: &str, _: &'static [&'static str]) -> ArgumentError {
        let detail = "The action takes no such argument.".to_owned();
        ArgumentError { code: "unknown_argument", field: Some(shorten(field, MAX_QUOTED_CHARS).into()), detail }
    }
}

/// Truncates a text to a number of characters, and appends an ellipsis if that shortens it.
pub(super) fn shorten(text: &str, max_chars: usize) -> String {
    match text.char_indices().nth(max_chars) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Rewrites a message of serde: the client's own value is truncated, and the expected Rust type is described as JSON.
fn replace_type_names(reason: &str) -> String {
    if reason.starts_with("data did not match any variant of untagged enum ") {
        return "data did not match any variant".to_owned();
    }
    if reason.starts_with("no variant of enum ") && reason.ends_with(" found in flattened data") {
        return "no variant found".to_owned();
    }
    // The value comes first and may contain anything, so the last separator is that of serde.
    let Some((value, expected)) = reason.rsplit_once(", expected ") else { return reason.to_owned() };
    let description = TYPE_DESCRIPTIONS.iter().find_map(|(text, json)| Some((json, expected.strip_prefix(text)?)));
    let value = shorten(value, MAX_QUOTED_CHARS);
    match description {
        // A suffix such as " with 2 elements" may follow the name of the type.
        Some((json, name)) => {
            let rest = name.find(" with ").map_or("", |end| &name[end..]);
            format!("{value}, expected {json}{rest}")
        }
        None => format!("{value}, expected {expected}"),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde::de::DeserializeOwned;
    use serde_json::{Value, json};

    use super::*;

    fn reason<T: DeserializeOwned>(value: &Value) -> String {
        let error = serde_json::from_str::<T>(&value.to_string()).map(drop).unwrap_err();
        ArgumentError::invalid_value("key", &error).detail
    }

    #[expect(dead_code, reason = "only deserialized")]
    mod payloads {
        use super::Deserialize;

        #[derive(Deserialize)]
        pub(super) struct InternalPayment {
            cents: u32,
        }
        #[derive(Deserialize)]
        pub(super) struct InternalPair(u8, u8);
        #[derive(Deserialize)]
        pub(super) struct InternalUnit;
        #[derive(Deserialize)]
        pub(super) enum InternalKind {
            Card { number: u32 },
            Cash(u8, u8),
        }
        #[derive(Deserialize)]
        #[serde(tag = "kind")]
        pub(super) enum InternalTagged {
            Card { number: u32 },
        }
        #[derive(Deserialize)]
        #[serde(tag = "kind", content = "of")]
        pub(super) enum InternalAdjacent {
            Card(u32),
        }
        #[derive(Deserialize)]
        pub(super) struct Flattened {
            #[serde(flatten)]
            kind: InternalKind,
        }
        #[derive(Deserialize)]
        #[serde(untagged)]
        pub(super) enum InternalUntagged {
            Number(u32),
            Text(String),
        }
    }

    #[test]
    fn reason_has_no_type_name() {
        use payloads::*;
        for (reason, expected) in [
            (reason::<InternalPayment>(&json!(5)), "invalid type: integer `5`, expected an object"),
            (reason::<InternalPayment>(&json!({})), "missing field `cents`"),
            (reason::<InternalPayment>(&json!([])), "invalid length 0, expected an object with 1 element"),
            (reason::<InternalPair>(&json!("x")), "invalid type: string \"x\", expected an array"),
            (reason::<InternalPair>(&json!([1])), "invalid length 1, expected an array with 2 elements"),
            (reason::<InternalUnit>(&json!(1)), "invalid type: integer `1`, expected null"),
            (reason::<InternalKind>(&json!(1)), "expected value"),
            (reason::<InternalKind>(&json!({"Card": 1})), "invalid type: integer `1`, expected an object"),
            (reason::<InternalKind>(&json!({"Cash": 1})), "invalid type: integer `1`, expected an array"),
            (reason::<InternalTagged>(&json!(1)), "invalid type: integer `1`, expected an object"),
            (reason::<InternalAdjacent>(&json!(1)), "invalid type: integer `1`, expected an object"),
            (reason::<InternalAdjacent>(&json!({"kind": [1]})), "expected value"),
            (reason::<Flattened>(&json!({})), "no variant found"),
            (reason::<InternalUntagged>(&json!([])), "data did not match any variant"),
            (reason::<Vec<InternalPayment>>(&json!([5])), "invalid type: integer `5`, expected an object"),
            (reason::<u8>(&json!("struct Foo")), "invalid type: string \"struct Foo\", expected u8"),
            (reason::<u8>(&json!("a, expected b")), "invalid type: string \"a, expected b\", expected u8"),
        ] {
            assert_eq!(reason, expected);
        }
    }

    #[test]
    fn reason_quotes_no_long_value() {
        let long = json!("x".repeat(60_000));
        let text = reason::<u8>(&long);
        assert!(text.len() < 150 && text.ends_with("…, expected u8"), "{text}");
        let error = serde_json::from_str::<u8>("1x").unwrap_err();
        assert!(ArgumentError::invalid_value(&"k".repeat(60_000), &error).field.unwrap().chars().count() == 65);
        let custom = <ArgumentError as de::Error>::custom("y".repeat(60_000));
        assert_eq!(custom.detail.chars().count(), MAX_REASON_CHARS + 1);
    }

    #[test]
    fn position_is_removed_and_a_similar_text_is_kept() {
        #[derive(Debug)]
        struct Line;

        impl<'de> Deserialize<'de> for Line {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Line, D::Error> {
                u8::deserialize(deserializer)?;
                Err(de::Error::custom("no train at line 5 column of the table"))
            }
        }

        assert_eq!(reason::<Line>(&json!(5)), "no train at line 5 column of the table");
    }
}
