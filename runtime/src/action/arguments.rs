//! Typed arguments out of the text of a message: each value is parsed once, borrowed where its type can borrow.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use http::StatusCode;
use serde::de::value::{BorrowedStrDeserializer, StrDeserializer};
use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, Visitor};

use crate::context::{Authorized, Call};
use crate::error::{Error, Result};
use crate::message::{ArgumentValue, DecodedStrings, Field};
use crate::permission::ObjectEvaluation;

/// A capture as the type that the action asks for. 404 where its text does not parse.
pub fn read_capture<T: FromStr, U>(call: &Call<'_, U>, name: &str) -> Result<T> {
    call.whole_context().capture(name)
}

/// The message's keys as the arguments of an action that everything on the way has admitted.
pub fn read_arguments<'a, T: Deserialize<'a>, U>(call: &'a Call<'_, U>, _: Authorized) -> Result<T> {
    call.go_on()?;
    read(call)
}

/// The same for an action whose expression is still to see the objects, which the arguments name.
pub fn read_arguments_for_evaluation<'a, T: Deserialize<'a>, U>(
    call: &'a Call<'_, U>,
    _: &ObjectEvaluation<'_, '_, U>,
) -> Result<T> {
    read(call)
}

fn read<'a, T: Deserialize<'a>, U>(call: &'a Call<'_, U>) -> Result<T> {
    let keys = Keys { left: call.fields().iter(), value: None, decoded: call.decoded() };
    T::deserialize(keys).map_err(|wrong| {
        let error = Error::new(StatusCode::BAD_REQUEST, wrong.code, wrong.detail);
        match wrong.field {
            Some(field) => error.with_field(field),
            None => error,
        }
    })
}

/// A string that is borrowed from the message, or an owned copy if the message writes it with escapes.
///
/// Use it for strings inside other types, such as `Vec<Str<'_>>` or a field of a struct, in which a `&str` cannot hold a
/// string with escapes and a `Cow<str>` always copies. For a parameter of an action, `&str` or `Option<&str>` is enough.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Str<'a>(Cow<'a, str>);

impl Str<'_> {
    /// The text as a string of its own.
    pub fn into_owned(self) -> String {
        self.0.into_owned()
    }
}

impl Deref for Str<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Str<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Str<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Str<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Str(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Str(Cow::Owned(text.to_owned())))
            }

            fn visit_string<E>(self, text: String) -> Result<Self::Value, E> {
                Ok(Str(Cow::Owned(text)))
            }
        }
        deserializer.deserialize_string(Text)
    }
}

/// What is wrong with the arguments.
#[derive(Debug)]
struct Wrong {
    code: &'static str,
    field: Option<Cow<'static, str>>,
    detail: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for Wrong {}

impl de::Error for Wrong {
    fn custom<T: fmt::Display>(message: T) -> Wrong {
        Wrong { code: "invalid_argument", field: None, detail: message.to_string() }
    }

    fn missing_field(field: &'static str) -> Wrong {
        Wrong { code: "missing_argument", field: Some(field.into()), detail: format!("Missing argument `{field}`.") }
    }

    fn unknown_field(field: &str, _: &'static [&'static str]) -> Wrong {
        let detail = "The action takes no such argument.".to_owned();
        Wrong { code: "unknown_argument", field: Some(field.to_owned().into()), detail }
    }
}

impl Wrong {
    fn value(field: &str, error: &serde_json::Error) -> Wrong {
        let text = error.to_string();
        // The place counts from the start of the value, which tells a client nothing.
        let detail = text.split(" at line ").next().unwrap_or_default().to_owned();
        Wrong { code: "invalid_argument", field: Some(field.to_owned().into()), detail }
    }
}

/// The keys of a message, as a map to deserialize from.
struct Keys<'k, 'de> {
    left: std::slice::Iter<'k, Field<'de>>,
    value: Option<&'k Field<'de>>,
    decoded: &'k DecodedStrings,
}

impl<'de, 'k: 'de> Deserializer<'de> for Keys<'k, 'de> {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_map(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de, 'k: 'de> MapAccess<'de> for Keys<'k, 'de> {
    type Error = Wrong;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Wrong> {
        self.value = self.left.next();
        match self.value {
            None => Ok(None),
            Some((Cow::Borrowed(key), _)) => seed.deserialize(BorrowedStrDeserializer::new(key)).map(Some),
            Some((Cow::Owned(key), _)) => seed.deserialize(StrDeserializer::new(key)).map(Some),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Wrong> {
        let (key, value) = self.value.take().ok_or_else(|| de::Error::custom("a value without a key"))?;
        seed.deserialize(ArgumentValue::new(*value, self.decoded)).map_err(|error| Wrong::value(key, &error))
    }
}

/// A parameter that is a key of the message. `M` is a marker that the compiler finds by itself.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument",
    label = "cannot be read from a message",
    note = "implement `serde::Deserialize` for `{Self}`, or say where else it comes from with `#[path]` or `#[extract]`; an object is written `Object<..>` itself, not under another name"
)]
pub trait Argument<'de, M>: Sized {
    /// What is read: the type itself.
    type Read: Deserialize<'de>;

    /// The parameter.
    fn into_parameter(read: Self::Read) -> Self;
}

/// Marks types that can be read from a message.
#[derive(Debug)]
pub struct Readable;

impl<'de, T: Deserialize<'de>> Argument<'de, Readable> for T {
    type Read = T;

    fn into_parameter(read: T) -> T {
        read
    }
}

/// Implemented by nothing. With one impl only, the compiler would take it without weighing it, and tell of the
/// missing `Deserialize` twice; of two that do not fit it says once what stands above.
pub trait Never: Sized {
    /// Cannot be called.
    fn never() -> Self;
}

impl<T: Never> Argument<'_, ()> for T {
    type Read = ();

    fn into_parameter((): ()) -> T {
        T::never()
    }
}
