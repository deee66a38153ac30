//! One value of a message: its text and what the scanner found out about it, so that nothing is checked twice.

use std::borrow::Cow;

use serde::de::{self, Visitor};
use serde_json::de::{Deserializer, StrRead};

/// The text is not JSON of the required kind: an object for a message, a string for an action or a route.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct MalformedJson;

/// The text of a JSON value. The scanner has checked that it is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RawJson<'a> {
    /// The text without surrounding whitespace.
    pub(crate) text: &'a str,
    pub(in crate::message) kind: ValueKind,
}

/// What is known about the syntax of a JSON value.
///
/// As wide as a word: a narrower type leaves padding in [`RawJson`], which is then copied in several pieces. Those copies
/// cost more than reading the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(in crate::message) enum ValueKind {
    Other,
    /// A string without escapes.
    PlainString,
    /// Digits only, without a leading zero.
    Integer,
}

impl<'a> RawJson<'a> {
    /// Returns the content if the value is a string without escapes.
    #[inline]
    fn as_plain_string(self) -> Option<&'a str> {
        // Cheaper than a slice by index, which has to look for the boundaries of characters.
        if self.kind == ValueKind::PlainString { self.text.strip_prefix('"')?.strip_suffix('"') } else { None }
    }

    /// Returns whether the value is a string with escapes.
    #[inline]
    pub(in crate::message) fn is_escaped_string(self) -> bool {
        self.kind != ValueKind::PlainString && self.text.starts_with('"')
    }

    /// Returns the number if the value consists of digits and fits.
    #[inline]
    fn as_integer(self) -> Option<u64> {
        if self.kind == ValueKind::Integer { self.text.parse().ok() } else { None }
    }

    /// Returns the nesting depth of arrays and objects. The depth of a scalar is 0.
    #[inline]
    pub(crate) fn depth(self) -> usize {
        if self.kind == ValueKind::Other { depth(self.text) } else { 0 }
    }

    /// Returns the content of a string with its escapes decoded. Fails for any other value.
    #[inline]
    pub(crate) fn unescaped(self) -> Result<Cow<'a, str>, MalformedJson> {
        match self.as_plain_string() {
            Some(text) => Ok(Cow::Borrowed(text)),
            None => self.decode_escapes(),
        }
    }

    /// Reads the value with `serde_json`.
    #[inline]
    fn parse_with<T>(
        self,
        read: impl FnOnce(&mut Deserializer<StrRead<'a>>) -> serde_json::Result<T>,
    ) -> serde_json::Result<T> {
        let mut text = Deserializer::from_str(self.text);
        let value = read(&mut text)?;
        // `serde_json` stops within some numbers that do not fit.
        text.end()?;
        Ok(value)
    }

    #[cold]
    #[inline(never)]
    fn decode_escapes(self) -> Result<Cow<'a, str>, MalformedJson> {
        serde_json::from_str::<String>(self.text).map(Cow::Owned).map_err(|_| MalformedJson)
    }
}

/// Returns the nesting depth of arrays and objects in a valid JSON value. The depth of a scalar is 0.
fn depth(value: &str) -> usize {
    if !matches!(value.as_bytes(), [b'{' | b'[', ..]) {
        return 0;
    }
    let (mut max_depth, mut depth, mut is_in_string, mut is_escaped) = (0, 0_usize, false, false);
    for byte in value.bytes() {
        if is_in_string {
            is_in_string = is_escaped || byte != b'"';
            is_escaped = !is_escaped && byte == b'\\';
            continue;
        }
        match byte {
            b'"' => is_in_string = true,
            b'{' | b'[' => {
                depth += 1;
                max_depth = max_depth.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    max_depth
}

macro_rules! forward_to_serde_json {
    ($($method:ident($($name:ident: $type:ty),*))*) => { $(
        #[inline]
        fn $method<V: Visitor<'de>>(self, $($name: $type,)* visitor: V) -> Result<V::Value, Self::Error> {
            self.parse_with(|text| text.$method($($name,)* visitor))
        }
    )* };
}

macro_rules! integers {
    ($($method:ident)*) => { $(
        #[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
            match self.as_integer() {
                Some(number) => visitor.visit_u64(number),
                None => self.parse_with(|text| text.$method(visitor)),
            }
        }
    )* };
}

/// Deserializes as `serde_json` does, without reading again strings without escapes, integers and ignored values.
impl<'de> de::Deserializer<'de> for RawJson<'de> {
    type Error = serde_json::Error;

    #[inline]
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        match self.as_plain_string() {
            Some(text) => visitor.visit_borrowed_str(text),
            None => self.parse_with(|text| text.deserialize_str(visitor)),
        }
    }

    #[inline]
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        self.deserialize_str(visitor)
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        if self.text == "null" { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    #[inline]
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_unit()
    }

    integers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
    }

    forward_to_serde_json! {
        deserialize_any() deserialize_bool() deserialize_i128() deserialize_u128() deserialize_f32() deserialize_f64()
        deserialize_char() deserialize_bytes() deserialize_byte_buf() deserialize_unit()
        deserialize_unit_struct(name: &'static str) deserialize_newtype_struct(name: &'static str)
        deserialize_seq() deserialize_tuple(len: usize) deserialize_tuple_struct(name: &'static str, len: usize)
        deserialize_map() deserialize_struct(name: &'static str, fields: &'static [&'static str])
        deserialize_enum(name: &'static str, variants: &'static [&'static str]) deserialize_identifier()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::fmt::Debug;

    use serde::de::{Deserialize, IgnoredAny};
    use serde_json::value::RawValue;

    use super::*;
    use crate::message::json::Scanner;

    /// Deserializes the value of a message by this implementation and by `serde_json`. Error texts are cut before the line
    /// and column, which only `serde_json` has.
    fn read_both<'a, T: Deserialize<'a>>(message: &'a str) -> [Result<T, String>; 2] {
        let (_, value) = Scanner::object(message).unwrap().next_entry(true).unwrap().unwrap();
        let message_of =
            |error: serde_json::Error| error.to_string().split(" at line ").next().unwrap_or_default().to_owned();
        [T::deserialize(value).map_err(message_of), serde_json::from_str(value.text).map_err(message_of)]
    }

    fn assert_same<'a, T: Deserialize<'a> + PartialEq + Debug>(message: &'a str) {
        let [ours, theirs] = read_both::<T>(message);
        assert_eq!(ours, theirs, "{message}");
    }

    #[derive(Debug, PartialEq, serde::Deserialize)]
    enum Figure {
        Round,
        Square(u8),
    }

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Newtype<T>(T);

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(untagged)]
    enum Either {
        Small(u8),
        Large(u64),
        Float(f64),
        Text(String),
    }

    #[test]
    fn depth_ignores_brackets_in_strings() {
        assert_eq!(depth("5"), 0);
        assert_eq!(depth("\"[[\""), 0);
        assert_eq!(depth("[]"), 1);
        assert_eq!(depth(r#"[{"a":["\"]"]},[]]"#), 3);
        assert_eq!(depth(r#"["\\",[]]"#), 2);
    }

    #[test]
    fn raw_json_is_deserialized_as_by_serde_json() {
        for value in [
            "null",
            "true",
            "0",
            "7",
            "-7",
            "127",
            "128",
            "255",
            "256",
            "300",
            "65536",
            "4294967296",
            "9223372036854775807",
            "9223372036854775808",
            "18446744073709551615",
            "18446744073709551616",
            "10000000000000000000000000000000000000000",
            "-0",
            "1e5",
            "1.5",
            "\"\"",
            "\"a\"",
            "\"Round\"",
            "\"a\\n\"",
            "\"\\u00e9\"",
            "\"\u{e9}\"",
            "\"null\"",
            "[]",
            "[1]",
            "[\"a\",null]",
            "{}",
            "{\"Square\":3}",
            "{\"a\":1}",
        ] {
            let message = format!("{{\"k\":{value}}}");
            assert_same::<serde_json::Value>(&message);
            assert_same::<String>(&message);
            assert_same::<&str>(&message);
            assert_same::<Cow<'_, str>>(&message);
            assert_same::<char>(&message);
            assert_same::<bool>(&message);
            assert_same::<i8>(&message);
            assert_same::<i16>(&message);
            assert_same::<i32>(&message);
            assert_same::<i64>(&message);
            assert_same::<i128>(&message);
            assert_same::<u8>(&message);
            assert_same::<u16>(&message);
            assert_same::<u32>(&message);
            assert_same::<u64>(&message);
            assert_same::<u128>(&message);
            assert_same::<Newtype<u64>>(&message);
            assert_same::<Either>(&message);
            assert_same::<Option<u128>>(&message);
            assert_same::<f64>(&message);
            assert_same::<()>(&message);
            assert_same::<Option<String>>(&message);
            assert_same::<Option<Option<u8>>>(&message);
            assert_same::<Option<Figure>>(&message);
            assert_same::<Figure>(&message);
            assert_same::<Newtype<String>>(&message);
            assert_same::<Newtype<Option<u8>>>(&message);
            assert_same::<Vec<u8>>(&message);
            assert_same::<Vec<Option<String>>>(&message);
            assert_same::<(String, Option<u8>)>(&message);
            assert_same::<HashMap<String, u8>>(&message);
            let [ours, theirs] = read_both::<&RawValue>(&message);
            assert_eq!(ours.unwrap().get(), theirs.unwrap().get());
            let [ours, _] = read_both::<IgnoredAny>(&message);
            ours.unwrap();
        }
    }
}
