//! Keys of objects that stand deep in a payload: found by the path that `#[object("order.items[].product")]` gives.

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

/// In a path: each element of a list.
const EACH: &str = "[]";

/// What stands at that path of the message: one value, or a list where the path goes through lists. 400 where it is
/// missing or does not fit `T`, and where a key on the way is repeated, because then two readers could find two values.
pub fn read_nested<T: DeserializeOwned, U>(
    call: &Call<'_, U>,
    _: &ObjectEvaluation<'_, '_, U>,
    written: &'static str,
    path: &'static [&'static str],
) -> Result<T> {
    let wrong = |code, detail: String| Error::new(StatusCode::BAD_REQUEST, code, detail).with_field(written);
    let missing = || wrong("missing_argument", format!("Missing argument `{written}`."));
    let invalid = |_| wrong("invalid_argument", format!("Invalid argument `{written}`."));
    let Some((first, rest)) = path.split_first() else {
        return Err(Error::internal("a path without a key"));
    };
    let (field, each) = (call.fields().iter().find(|(key, _)| key == first), path.contains(&EACH));
    let mut found = Vec::new();
    match field {
        Some((_, value)) => PathSeed { path: rest, each, found: &mut found }.deserialize(*value).map_err(invalid)?,
        None if each => return Err(missing()),
        None => {}
    }
    if each {
        let list = SeqDeserializer::<_, serde_json::Error>::new(found.into_iter().map(PathValue));
        return T::deserialize(list).map_err(invalid);
    }
    match found.first() {
        Some(value) => T::deserialize(*value).map_err(invalid),
        // An optional one may be absent.
        None => T::deserialize(UnitDeserializer::<serde_json::Error>::new()).map_err(|_| missing()),
    }
}

/// A value, to be read as an element of a list.
struct PathValue<'de>(&'de RawValue);

impl<'de> IntoDeserializer<'de, serde_json::Error> for PathValue<'de> {
    type Deserializer = &'de RawValue;

    fn into_deserializer(self) -> &'de RawValue {
        self.0
    }
}

/// Follows what is left of a path, and keeps what stands at its end.
struct PathSeed<'f, 'de> {
    path: &'static [&'static str],
    /// Whether it goes through a list: then nothing may be missing, or an element would go unseen.
    each: bool,
    found: &'f mut Vec<&'de RawValue>,
}

impl<'de> DeserializeSeed<'de> for PathSeed<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.path.split_first() {
            None => {
                self.found.push(de::Deserialize::deserialize(deserializer)?);
                Ok(())
            }
            Some((&EACH, _)) => deserializer.deserialize_seq(self),
            Some(_) => deserializer.deserialize_map(self),
        }
    }
}

impl<'de> Visitor<'de> for PathSeed<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.path.first() == Some(&EACH) { "a list" } else { "an object" })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let path = self.path.get(1..).unwrap_or_default();
        while list.next_element_seed(PathSeed { path, each: self.each, found: &mut *self.found })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((wanted, path)) = self.path.split_first() else { return Ok(()) };
        let mut seen = false;
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            if key != *wanted {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            if seen {
                return Err(de::Error::duplicate_field(wanted));
            }
            seen = true;
            map.next_value_seed(PathSeed { path, each: self.each, found: &mut *self.found })?;
        }
        if self.each && !seen { Err(de::Error::missing_field(wanted)) } else { Ok(()) }
    }
}
