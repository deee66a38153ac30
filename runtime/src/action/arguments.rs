//! Deserialization of action arguments: each value is parsed once, and borrowed from the message if its type can borrow.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use serde::de::value::{BorrowedStrDeserializer, StrDeserializer};
use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, Visitor};

use super::argument_error::ArgumentError;
use crate::context::{Authorized, Call};
use crate::error::Result;
use crate::message::{ArgumentValue, DecodedStrings, Field};
use crate::permission::ObjectEvaluation;

/// Parses a route capture as the type of an action's `#[path]` parameter. 404 if the text does not parse.
pub fn read_capture<T: FromStr, U>(call: &Call<'_, U>, name: &str) -> Result<T> {
    call.whole_context().capture(name)
}

/// Deserializes the keys of a message into the arguments of an authorized action.
pub fn read_arguments<'a, T: Deserialize<'a>, U>(call: &'a Call<'_, U>, _: Authorized) -> Result<T> {
    call.finish_authorization()?;
    deserialize(call)
}

/// Deserializes the arguments before the object phase of the expression: the arguments contain the keys of the objects.
pub fn read_arguments_for_evaluation<'a, T: Deserialize<'a>, U>(
    call: &'a Call<'_, U>,
    _: &ObjectEvaluation<'_, '_, U>,
) -> Result<T> {
    deserialize(call)
}

fn deserialize<'a, T: Deserialize<'a>, U>(call: &'a Call<'_, U>) -> Result<T> {
    let keys = ArgumentMap { remaining: call.fields().iter(), value: None, decoded: call.decoded() };
    T::deserialize(keys).map_err(ArgumentError::into_error)
}

/// A string argument that borrows from the message, or owns a copy if the JSON string has escapes.
///
/// Use it for strings inside other types, such as `Vec<Str<'_>>` or a field of a struct, in which a `&str` cannot hold a
/// string with escapes and a `Cow<str>` always copies. For a parameter of an action, `&str` or `Option<&str>` is enough.
///
/// ```
/// use portcullis::{AllowAny, Str, consumer};
///
/// struct Search;
///
/// #[consumer]
/// impl Search {
///     #[action(permission = AllowAny)]
///     async fn count_words(&self, words: Vec<Str<'_>>) -> usize {
///         words.iter().filter(|word| !word.is_empty()).count()
///     }
/// }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Str<'a>(Cow<'a, str>);

impl Str<'_> {
    /// Converts into a `String`; copies only a borrowed text.
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
        struct StrVisitor;
        impl<'de> Visitor<'de> for StrVisitor {
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
        deserializer.deserialize_string(StrVisitor)
    }
}

/// The keys and values of a message as a serde map.
struct ArgumentMap<'k, 'de> {
    remaining: std::slice::Iter<'k, Field<'de>>,
    value: Option<&'k Field<'de>>,
    decoded: &'k DecodedStrings,
}

impl<'de, 'k: 'de> Deserializer<'de> for ArgumentMap<'k, 'de> {
    type Error = ArgumentError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ArgumentError> {
        visitor.visit_map(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de, 'k: 'de> MapAccess<'de> for ArgumentMap<'k, 'de> {
    type Error = ArgumentError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, ArgumentError> {
        self.value = self.remaining.next();
        match self.value {
            None => Ok(None),
            Some((Cow::Borrowed(key), _)) => seed.deserialize(BorrowedStrDeserializer::new(key)).map(Some),
            Some((Cow::Owned(key), _)) => seed.deserialize(StrDeserializer::new(key)).map(Some),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, ArgumentError> {
        let (key, value) =
            self.value.take().ok_or_else(|| de::Error::custom("bug: a value was requested without a key"))?;
        seed.deserialize(ArgumentValue::new(*value, self.decoded))
            .map_err(|error| ArgumentError::invalid_value(key, &error))
    }
}

/// A parameter that is read from a key of the message. `M` is a marker that the compiler infers.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument",
    label = "cannot be read from a message",
    note = "implement `serde::Deserialize` for `{Self}`, or add `#[path]` or `#[extract]` to the parameter; write the type of an object as `Object<..>`, not as an alias",
    note = "extractors of axum do not apply to messages: shared state is in `self`, a capture of the route is `#[path] id: u32`, and each key of the message is a parameter"
)]
pub trait Argument<'de, M>: Sized {
    /// The deserialized type: the type itself.
    type Read: Deserialize<'de>;

    /// Converts the deserialized value into the parameter.
    fn into_parameter(value: Self::Read) -> Self;
}

/// Marks types that deserialize from a message.
#[derive(Debug)]
pub struct FromMessage;

impl<'de, T: Deserialize<'de>> Argument<'de, FromMessage> for T {
    type Read = T;

    fn into_parameter(value: T) -> T {
        value
    }
}

/// A trait without implementations. With a single impl of [`Argument`] the compiler would select it unconditionally and
/// report the missing `Deserialize` twice; with two candidates it reports the message of [`Argument`] once.
pub trait Unimplemented: Sized {
    /// Never called.
    fn unreachable() -> Self;
}

impl<T: Unimplemented> Argument<'_, ()> for T {
    type Read = ();

    fn into_parameter((): ()) -> T {
        T::unreachable()
    }
}
