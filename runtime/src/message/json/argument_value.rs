//! The value of an argument. Strings with escapes are decoded once and kept with the message, so that `&str` can borrow
//! them.

use std::sync::OnceLock;

use serde::de::{self, Visitor};

use super::RawJson;

/// The decoded strings of one message. They live as long as the text of the message.
#[derive(Debug, Default)]
pub(crate) struct DecodedStrings {
    first: OnceLock<Box<Decoded>>,
}

#[derive(Debug)]
struct Decoded {
    /// The address of the text that was decoded. It identifies the string, so that each is decoded once.
    address: usize,
    text: String,
    next: OnceLock<Box<Decoded>>,
}

impl DecodedStrings {
    /// Decodes a JSON string with escapes, or returns the result of an earlier call for the same text.
    #[cold]
    #[inline(never)]
    fn decode(&self, string: &str) -> serde_json::Result<&str> {
        let address = string.as_ptr().addr();
        let mut slot = &self.first;
        loop {
            match slot.get() {
                Some(known) if known.address == address => return Ok(&known.text),
                Some(other) => slot = &other.next,
                None => {
                    let text = serde_json::from_str(string)?;
                    // If another thread has set the slot first, the loop continues behind its entry.
                    let _ = slot.set(Box::new(Decoded { address, text, next: OnceLock::new() }));
                }
            }
        }
    }
}

/// A [`RawJson`] whose strings can be borrowed whether or not they are written with escapes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ArgumentValue<'a> {
    value: RawJson<'a>,
    decoded: &'a DecodedStrings,
}

impl<'a> ArgumentValue<'a> {
    #[inline]
    pub(crate) fn new(value: RawJson<'a>, decoded: &'a DecodedStrings) -> ArgumentValue<'a> {
        ArgumentValue { value, decoded }
    }
}

macro_rules! forward_to_raw_json {
    ($($method:ident($($name:ident: $type:ty),*))*) => { $(
        #[inline]
        fn $method<V: Visitor<'de>>(self, $($name: $type,)* visitor: V) -> Result<V::Value, Self::Error> {
            self.value.$method($($name,)* visitor)
        }
    )* };
}

impl<'de> de::Deserializer<'de> for ArgumentValue<'de> {
    type Error = serde_json::Error;

    #[inline]
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        if self.value.is_escaped_string() {
            return visitor.visit_borrowed_str(self.decoded.decode(self.value.text)?);
        }
        self.value.deserialize_str(visitor)
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        if self.value.text == "null" { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    forward_to_raw_json! {
        deserialize_any() deserialize_bool() deserialize_i8() deserialize_i16() deserialize_i32() deserialize_i64()
        deserialize_i128() deserialize_u8() deserialize_u16() deserialize_u32() deserialize_u64() deserialize_u128()
        deserialize_f32() deserialize_f64() deserialize_char() deserialize_string() deserialize_bytes()
        deserialize_byte_buf() deserialize_unit() deserialize_unit_struct(name: &'static str)
        deserialize_newtype_struct(name: &'static str) deserialize_seq() deserialize_tuple(len: usize)
        deserialize_tuple_struct(name: &'static str, len: usize) deserialize_map()
        deserialize_struct(name: &'static str, fields: &'static [&'static str])
        deserialize_enum(name: &'static str, variants: &'static [&'static str]) deserialize_identifier()
        deserialize_ignored_any()
    }
}

#[cfg(test)]
mod tests {
    use serde::de::Deserialize;

    use super::*;
    use crate::message::json::Scanner;

    fn raw_json(message: &str) -> RawJson<'_> {
        Scanner::object(message).unwrap().next_entry(true).unwrap().unwrap().1
    }

    #[test]
    fn string_without_escapes_is_borrowed_from_the_message() {
        let message = "{\"k\":\"plain \u{e9} \u{1f600}\"}";
        let decoded = DecodedStrings::default();
        let text = <&str>::deserialize(ArgumentValue::new(raw_json(message), &decoded)).unwrap();
        assert_eq!(text.as_ptr(), message[6..].as_ptr());
        assert!(decoded.first.get().is_none());
    }

    #[test]
    fn string_with_escapes_is_decoded_once() {
        let (one, other) = (r#"{"k":"a\n\"b\""}"#, r#"{"k":"\u00e9\ud83d\ude00"}"#);
        let decoded = DecodedStrings::default();
        let read =
            |message| <Option<&str>>::deserialize(ArgumentValue::new(raw_json(message), &decoded)).unwrap().unwrap();
        let first = read(one);
        assert_eq!((first, read(other)), ("a\n\"b\"", "\u{e9}\u{1f600}"));
        assert_eq!(read(one).as_ptr(), first.as_ptr());
    }

    #[test]
    fn string_with_a_lone_surrogate_is_an_error() {
        let decoded = DecodedStrings::default();
        for message in [r#"{"k":"\ud83d"}"#, r#"{"k":"\ude00\ud83d"}"#] {
            <&str>::deserialize(ArgumentValue::new(raw_json(message), &decoded)).unwrap_err();
        }
        assert!(decoded.first.get().is_none());
    }

    #[test]
    fn owned_string_with_escapes_is_not_kept() {
        let decoded = DecodedStrings::default();
        let text = String::deserialize(ArgumentValue::new(raw_json(r#"{"k":"a\nb"}"#), &decoded)).unwrap();
        assert_eq!(text, "a\nb");
        assert!(decoded.first.get().is_none());
    }
}
