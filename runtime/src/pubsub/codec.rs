//! The encoding of events and group keys for other machines: a JSON array of the fields in their order, after the number of
//! the variant for an enum. The fields are encoded one by one, so that attributes which shape what a client sees, such as
//! `#[serde(skip)]`, lose nothing between machines.

use std::vec;

use serde::de::DeserializeOwned;
use serde::{Serialize, de};
use serde_json::value::RawValue;

/// The result of encoding or decoding.
pub(crate) type CodecResult<T> = serde_json::Result<T>;

/// Encodes and decodes values of `T`. Created by the derives.
#[derive(Debug)]
pub struct Codec<T> {
    /// Encodes the fields.
    pub encode: fn(&T, &mut FieldEncoder) -> CodecResult<()>,
    /// Decodes the fields.
    pub decode: fn(&mut FieldDecoder<'_>) -> CodecResult<T>,
}

impl<T> Codec<T> {
    /// Encodes a value.
    ///
    /// # Errors
    ///
    /// Fails if a field cannot be encoded.
    pub(crate) fn encode_value(&self, value: &T) -> CodecResult<Vec<u8>> {
        let mut encoder = FieldEncoder { bytes: vec![b'['] };
        (self.encode)(value, &mut encoder)?;
        encoder.bytes.push(b']');
        Ok(encoder.bytes)
    }

    /// Decodes a value.
    ///
    /// # Errors
    ///
    /// Fails unless the bytes are the fields of a value.
    pub(crate) fn decode_value(&self, bytes: &[u8]) -> CodecResult<T> {
        let mut decoder = FieldDecoder { fields: serde_json::from_slice::<Vec<&RawValue>>(bytes)?.into_iter() };
        let value = (self.decode)(&mut decoder)?;
        match decoder.fields.next() {
            None => Ok(value),
            Some(_) => Err(de::Error::custom("more fields than expected")),
        }
    }
}

/// A type of which a field of an event can be. Implemented for every type that serde can serialize and deserialize.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be sent to another machine",
    label = "this field of an event is not `serde::Serialize` and `serde::de::DeserializeOwned`",
    note = "derive `serde::Serialize` and `serde::Deserialize` for it, and own what it borrows (`String` for `&str`)",
    note = "or write `#[event(local)]` on the event, which then never leaves its machine"
)]
pub trait EventField: Serialize + DeserializeOwned {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned> EventField for T {}

/// A type of which a field of a group's key can be. Implemented for every type that serde can serialize and deserialize.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be sent to another machine",
    label = "this field of a group is not `serde::Serialize` and `serde::de::DeserializeOwned`",
    note = "derive `serde::Serialize` and `serde::Deserialize` for it, and own what it borrows (`String` for `&str`)",
    note = "or write `local` in the `#[group(..)]` of the group, whose events then never leave their machine"
)]
pub trait KeyField: Serialize + DeserializeOwned {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned> KeyField for T {}

/// Encodes the fields of one value.
#[derive(Debug)]
pub struct FieldEncoder {
    /// The array so far, without its end.
    bytes: Vec<u8>,
}

impl FieldEncoder {
    /// Encodes the number of a variant.
    pub fn variant(&mut self, index: u32) {
        self.separate();
        self.bytes.extend_from_slice(index.to_string().as_bytes());
    }

    /// Encodes a field of an event.
    ///
    /// # Errors
    ///
    /// Fails if its type does.
    pub fn event_field<T: EventField>(&mut self, field: &T) -> CodecResult<()> {
        self.field(field)
    }

    /// Encodes a field of a group's key.
    ///
    /// # Errors
    ///
    /// Fails if its type does.
    pub fn key_field<T: KeyField>(&mut self, field: &T) -> CodecResult<()> {
        self.field(field)
    }

    fn field<T: Serialize>(&mut self, field: &T) -> CodecResult<()> {
        self.separate();
        serde_json::to_writer(&mut self.bytes, field)
    }

    fn separate(&mut self) {
        if self.bytes.len() > 1 {
            self.bytes.push(b',');
        }
    }
}

/// Decodes the fields of one value.
#[derive(Debug)]
pub struct FieldDecoder<'a> {
    fields: vec::IntoIter<&'a RawValue>,
}

impl FieldDecoder<'_> {
    /// Decodes the number of a variant.
    ///
    /// # Errors
    ///
    /// Fails unless the next field is one.
    pub fn variant(&mut self) -> CodecResult<u32> {
        self.field()
    }

    /// Returns the error for a number that no variant has.
    pub fn unknown_variant() -> serde_json::Error {
        de::Error::custom("unknown variant")
    }

    /// Decodes a field of an event.
    ///
    /// # Errors
    ///
    /// Fails unless the next field is a value of this type.
    pub fn event_field<T: EventField>(&mut self) -> CodecResult<T> {
        self.field()
    }

    /// Decodes a field of a group's key.
    ///
    /// # Errors
    ///
    /// Fails unless the next field is a value of this type.
    pub fn key_field<T: KeyField>(&mut self) -> CodecResult<T> {
        self.field()
    }

    fn field<T: DeserializeOwned>(&mut self) -> CodecResult<T> {
        let field = self.fields.next().ok_or_else(|| de::Error::custom("fewer fields than expected"))?;
        serde_json::from_str(field.get())
    }
}
