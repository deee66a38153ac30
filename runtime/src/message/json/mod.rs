//! Reads JSON: the top-level keys of a message, and the values from which arguments are deserialized.

mod argument_value;
mod raw_value;
mod scanner;

pub(crate) use argument_value::{ArgumentValue, DecodedStrings};
pub(super) use raw_value::{MalformedJson, RawJson};
pub(super) use scanner::Scanner;
