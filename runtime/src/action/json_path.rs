//! Object keys inside a payload, found by a path such as `#[object("order.items[].product")]`.

use std::borrow::Cow;
use std::fmt;

use http::StatusCode;
use serde::de::value::{SeqDeserializer, UnitDeserializer};
use serde::de::{self, DeserializeOwned, DeserializeSeed, Deserializer, IgnoredAny, IntoDeserializer, MapAccess};
use serde::de::{SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::context::Call;
use crate::error::{Error, Result};
use crate::permission::ObjectEvaluation;

/// The path segment for each element of a list.
const LIST_SEGMENT: &str = "[]";

/// Deserializes the value at a path of the message, or the list of values if the path goes through lists.
///
/// Fails with 400 if the value is missing or does not fit `T`, and if a key of the path is repeated: two readers could then
/// find two values.
pub fn read_nested<T: DeserializeOwned, U>(
    call: &Call<'_, U>,
    _: &ObjectEvaluation<'_, '_, U>,
    written: &'static str,
    path: &'static [&'static str],
) -> Result<T> {
    let error = |code, detail: String| Error::new(StatusCode::BAD_REQUEST, code, detail).with_field(written);
    let missing_error = || error("missing_argument", format!("Missing argument `{written}`."));
    let invalid_error = |_| error("invalid_argument", format!("Invalid argument `{written}`."));
    let Some((first, rest)) = path.split_first() else {
        return Err(Error::internal("bug: a path of an object has no key"));
    };
    let (field, has_list) = (call.fields().iter().find(|(key, _)| key == first), path.contains(&LIST_SEGMENT));
    let mut values = Vec::new();
    match field {
        Some((_, value)) => {
            PathSeed { path: rest, has_list, values: &mut values }.deserialize(*value).map_err(invalid_error)?;
        }
        None if has_list => return Err(missing_error()),
        None => {}
    }
    if has_list {
        let list = SeqDeserializer::<_, serde_json::Error>::new(values.into_iter().map(PathValue));
        return T::deserialize(list).map_err(invalid_error);
    }
    match values.first() {
        Some(value) => T::deserialize(*value).map_err(invalid_error),
        // An optional value may be absent.
        None => T::deserialize(UnitDeserializer::<serde_json::Error>::new()).map_err(|_| missing_error()),
    }
}

/// A value as an element of a serde sequence.
struct PathValue<'de>(&'de RawValue);

impl<'de> IntoDeserializer<'de, serde_json::Error> for PathValue<'de> {
    type Deserializer = &'de RawValue;

    fn into_deserializer(self) -> &'de RawValue {
        self.0
    }
}

/// Follows the rest of a path and collects the values at its end.
struct PathSeed<'f, 'de> {
    path: &'static [&'static str],
    /// Whether the path goes through a list. Then a missing key is an error: the permission would not cover that element.
    has_list: bool,
    values: &'f mut Vec<&'de RawValue>,
}

impl<'de> DeserializeSeed<'de> for PathSeed<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.path.split_first() {
            None => {
                self.values.push(de::Deserialize::deserialize(deserializer)?);
                Ok(())
            }
            Some((&LIST_SEGMENT, _)) => deserializer.deserialize_seq(self),
            Some(_) => deserializer.deserialize_map(self),
        }
    }
}

impl<'de> Visitor<'de> for PathSeed<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.path.first() == Some(&LIST_SEGMENT) { "a list" } else { "an object" })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let path = self.path.get(1..).unwrap_or_default();
        while list.next_element_seed(PathSeed { path, has_list: self.has_list, values: &mut *self.values })?.is_some() {
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((key_name, path)) = self.path.split_first() else { return Ok(()) };
        let mut is_found = false;
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            if key != *key_name {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            if is_found {
                return Err(de::Error::duplicate_field(key_name));
            }
            is_found = true;
            map.next_value_seed(PathSeed { path, has_list: self.has_list, values: &mut *self.values })?;
        }
        if self.has_list && !is_found { Err(de::Error::missing_field(key_name)) } else { Ok(()) }
    }
}
