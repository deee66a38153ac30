//! Messages between machines: their encoding, which all versions of a service share, and their authentication.
//!
//! ```text
//! version 1 byte | machine 16 bytes | sequence number 8 bytes | payload | tag 32 bytes, only with a cluster key
//! ```
//!
//! Numbers are big-endian; text and bytes follow their length in 4 bytes. What cannot be read is refused as a whole: no part
//! of it takes effect.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::cluster_key::{ClusterKey, TAG_LEN};
use super::event_log::LogPosition;
use super::machine_id::MachineId;
use crate::context::ConnectionId;

/// The version without a tag, and that with one.
const PLAIN: u8 = 1;
const TAGGED: u8 = 2;

const HEADER_LEN: usize = 1 + 16 + 8;

/// Why a message is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// It is of another version, or longer or shorter than it says.
    Malformed,
    /// Its tag is missing or wrong.
    Forged,
}

/// Why an event of another machine cannot be delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undeliverable {
    /// The event is not known here, or the event or the group is defined differently.
    UnknownType,
    /// The event or a key cannot be decoded.
    Undecodable,
}

/// A message as it was opened.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Opened {
    pub(super) machine: MachineId,
    pub(super) sequence: u64,
    pub(super) payload: Bytes,
}

/// Encodes a message. `channel` is the name of the channel with its namespace.
pub(super) fn seal(
    key: Option<&ClusterKey>,
    channel: &str,
    (machine, sequence): (MachineId, u64),
    payload: &[u8],
) -> Bytes {
    let mut message = BytesMut::with_capacity(HEADER_LEN + payload.len() + TAG_LEN);
    message.put_u8(if key.is_some() { TAGGED } else { PLAIN });
    message.put_slice(&machine.to_bytes());
    message.put_u64(sequence);
    message.put_slice(payload);
    if let Some(key) = key {
        let tag = key.tag(channel, &message);
        message.put_slice(&tag);
    }
    message.freeze()
}

/// Decodes a message. With a key, only messages with a tag of that key are accepted, without one only those without a tag.
pub(super) fn open(key: Option<&ClusterKey>, channel: &str, mut message: Bytes) -> Result<Opened, Unreadable> {
    match (message.first(), key) {
        (Some(&PLAIN), None) => {}
        (Some(&PLAIN), Some(_)) | (Some(&TAGGED), None) => return Err(Unreadable::Forged),
        (Some(&TAGGED), Some(key)) => {
            let length = message.len().checked_sub(TAG_LEN).ok_or(Unreadable::Forged)?;
            let tag = message.split_off(length);
            if !key.verify(channel, &message, &tag) {
                return Err(Unreadable::Forged);
            }
        }
        _ => return Err(Unreadable::Malformed),
    }
    if message.len() < HEADER_LEN {
        return Err(Unreadable::Malformed);
    }
    message.advance(1);
    let mut machine = [0; 16];
    message.copy_to_slice(&mut machine);
    let sequence = message.get_u64();
    Ok(Opened { machine: MachineId::from_bytes(machine), sequence, payload: message })
}

/// Whom an event is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target<'a> {
    /// The members of groups of one type.
    Groups {
        /// The name of the type.
        name: &'a str,
        /// The fingerprint of the type.
        fingerprint: u64,
        /// The encodings of the keys.
        keys: Vec<&'a [u8]>,
    },
    /// One user.
    User(&'a str),
}

/// An event that another machine has published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventMessage<'a> {
    pub(crate) target: Target<'a>,
    /// The number of the publication, if it is one to several groups, which may be sent on several channels. Machines that
    /// receive it twice use it once.
    pub(crate) publication: Option<u64>,
    /// The connection that does not receive it.
    pub(crate) except: Option<ConnectionId>,
    /// The name of the type of the event.
    pub(crate) event: &'a str,
    pub(crate) fingerprint: u64,
    /// The encoding of the event.
    pub(crate) body: &'a [u8],
    /// The position in the log of its group, if that has a history. Not part of the encoding: the broker assigns it.
    pub(crate) position: Option<LogPosition>,
}

const GROUPS: u8 = 0;
const USER: u8 = 1;

impl<'a> EventMessage<'a> {
    /// Encodes the message as a payload.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut payload = Vec::with_capacity(128 + self.body.len());
        match &self.target {
            Target::Groups { name, fingerprint, keys } => {
                payload.put_u8(GROUPS);
                put_bytes(&mut payload, name.as_bytes());
                payload.put_u64(*fingerprint);
                payload.put_u32(u32::try_from(keys.len()).unwrap_or(u32::MAX));
                for key in keys {
                    put_bytes(&mut payload, key);
                }
            }
            Target::User(user_id) => {
                payload.put_u8(USER);
                put_bytes(&mut payload, user_id.as_bytes());
            }
        }
        put_option(&mut payload, self.publication, BufMut::put_u64);
        put_option(&mut payload, self.except, |payload, id| payload.put_slice(&id.to_bytes()));
        put_bytes(&mut payload, self.event.as_bytes());
        payload.put_u64(self.fingerprint);
        put_bytes(&mut payload, self.body);
        payload
    }

    /// Decodes a payload.
    pub(crate) fn decode(payload: &'a [u8]) -> Result<EventMessage<'a>, Unreadable> {
        let mut reader = Reader(payload);
        let target = match reader.u8()? {
            GROUPS => {
                let (name, fingerprint, count) = (reader.text()?, reader.u64()?, reader.u32()?);
                // Not allocated before the keys are read: the number may be anything.
                let keys = (0..count).map(|_| reader.bytes()).collect::<Result<_, _>>()?;
                Target::Groups { name, fingerprint, keys }
            }
            USER => Target::User(reader.text()?),
            _ => return Err(Unreadable::Malformed),
        };
        let publication = reader.option(Reader::u64)?;
        let except = reader.option(Reader::connection_id)?;
        let (event, fingerprint, body) = (reader.text()?, reader.u64()?, reader.bytes()?);
        reader.finish()?;
        Ok(EventMessage { target, publication, except, event, fingerprint, body, position: None })
    }
}

/// Appends bytes after their length.
pub(super) fn put_bytes(payload: &mut Vec<u8>, bytes: &[u8]) {
    payload.put_u32(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
    payload.put_slice(bytes);
}

pub(super) fn put_option<T>(payload: &mut Vec<u8>, value: Option<T>, put: impl FnOnce(&mut Vec<u8>, T)) {
    payload.put_u8(u8::from(value.is_some()));
    if let Some(value) = value {
        put(payload, value);
    }
}

/// Reads a payload from its start.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], Unreadable> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Unreadable::Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Unreadable> {
        self.take(N)?.try_into().map_err(|_| Unreadable::Malformed)
    }

    pub(super) fn u8(&mut self) -> Result<u8, Unreadable> {
        self.array().map(u8::from_be_bytes)
    }

    pub(super) fn u16(&mut self) -> Result<u16, Unreadable> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, Unreadable> {
        self.array().map(u32::from_be_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, Unreadable> {
        self.array().map(u64::from_be_bytes)
    }

    pub(super) fn i128(&mut self) -> Result<i128, Unreadable> {
        self.array().map(i128::from_be_bytes)
    }

    pub(super) fn machine_id(&mut self) -> Result<MachineId, Unreadable> {
        self.array().map(MachineId::from_bytes)
    }

    pub(super) fn connection_id(&mut self) -> Result<ConnectionId, Unreadable> {
        self.array().map(ConnectionId::from_bytes)
    }

    pub(super) fn bytes(&mut self) -> Result<&'a [u8], Unreadable> {
        let length = self.u32()?;
        self.take(usize::try_from(length).map_err(|_| Unreadable::Malformed)?)
    }

    pub(super) fn text(&mut self) -> Result<&'a str, Unreadable> {
        str::from_utf8(self.bytes()?).map_err(|_| Unreadable::Malformed)
    }

    pub(super) fn option<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Unreadable>,
    ) -> Result<Option<T>, Unreadable> {
        match self.u8()? {
            0 => Ok(None),
            1 => read(self).map(Some),
            _ => Err(Unreadable::Malformed),
        }
    }

    /// Checks that nothing is left.
    pub(super) fn finish(self) -> Result<(), Unreadable> {
        if self.0.is_empty() { Ok(()) } else { Err(Unreadable::Malformed) }
    }
}
