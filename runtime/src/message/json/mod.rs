//! Reading JSON: the top-level keys of a message, and the values that arguments are deserialized from.

mod argument_value;
mod raw_value;
mod scanner;

pub(crate) use argument_value::{ArgumentValue, DecodedStrings};
pub(super) use raw_value::{MalformedJson, RawJson};
pub(super) use scanner::{Scanner, depth};
