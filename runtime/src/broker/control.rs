//! What machines tell each other besides events: that they are there, changes of rights, and that those have taken effect.

use bytes::BufMut;

use super::channel::{Channel, PARTITION_COUNT};
use super::machine_id::MachineId;
use super::message::{Reader, Unreadable, put_bytes, put_option};
use crate::context::ConnectionId;
use crate::grants::{ObjectId, ObjectKey};

/// A message on the control channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ControlMessage<'a> {
    /// The machine is there. Has the sequence numbers of its last messages on other channels, so that a message which was
    /// lost is noticed even if none follows, the versions of its users per partition, and whether it closes its connections when
    /// it is cut off.
    Heartbeat { closes_when_cut_off: bool, sequences: Vec<(usize, u64)>, presence: Vec<(usize, u64)> },
    /// The machine has no connections any more, and is not waited for.
    Departure,
    /// Rights have changed.
    Change { id: u64, change: ChangeMessage<'a> },
    /// The change with this id of that machine has taken effect.
    Acknowledgement { machine: MachineId, id: u64 },
    /// One machine, or all, are asked for their users in these partitions.
    PresenceRequest { machine: Option<MachineId>, partitions: Vec<usize> },
}

/// A change of rights that was reported to another machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ChangeMessage<'a> {
    Users(Vec<&'a str>),
    Role(&'a str),
    /// The kinds and ids of objects.
    Objects(Vec<(&'a str, ObjectId)>),
    All,
    DisconnectUser {
        user_id: &'a str,
        keep: Option<ConnectionId>,
    },
    Disconnect(ConnectionId),
}

impl<'a> ChangeMessage<'a> {
    /// Returns the message for the overwrites of objects.
    pub(crate) fn objects(keys: &'a [ObjectKey]) -> ChangeMessage<'a> {
        ChangeMessage::Objects(keys.iter().map(|key| (key.kind(), key.id().clone())).collect())
    }

    /// Returns whether a connection is closed by the change, so that the source of grants does not tell of it.
    pub(super) fn is_disconnect(&self) -> bool {
        matches!(self, ChangeMessage::DisconnectUser { .. } | ChangeMessage::Disconnect(_))
    }
}

const HEARTBEAT: u8 = 0;
const DEPARTURE: u8 = 1;
const CHANGE: u8 = 2;
const ACKNOWLEDGEMENT: u8 = 3;
const PRESENCE_REQUEST: u8 = 4;

const USERS: u8 = 0;
const ROLE: u8 = 1;
const OBJECTS: u8 = 2;
const ALL: u8 = 3;
const DISCONNECT_USER: u8 = 4;
const DISCONNECT_OTHERS: u8 = 5;
const DISCONNECT: u8 = 6;

const NUMBER: u8 = 0;
const TEXT: u8 = 1;

impl<'a> ControlMessage<'a> {
    /// Encodes the message as a payload.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut payload = Vec::new();
        match self {
            ControlMessage::Heartbeat { closes_when_cut_off, sequences, presence } => {
                payload.put_u8(HEARTBEAT);
                payload.put_u8(u8::from(*closes_when_cut_off));
                put_index(&mut payload, sequences.len());
                for (channel, number) in sequences.iter().chain(presence) {
                    put_index(&mut payload, *channel);
                    payload.put_u64(*number);
                }
            }
            ControlMessage::Departure => payload.put_u8(DEPARTURE),
            ControlMessage::Change { id, change } => {
                payload.put_u8(CHANGE);
                payload.put_u64(*id);
                change.encode(&mut payload);
            }
            ControlMessage::Acknowledgement { machine, id } => {
                payload.put_u8(ACKNOWLEDGEMENT);
                payload.put_slice(&machine.to_bytes());
                payload.put_u64(*id);
            }
            ControlMessage::PresenceRequest { machine, partitions } => {
                payload.put_u8(PRESENCE_REQUEST);
                put_option(&mut payload, *machine, |payload, id| payload.put_slice(&id.to_bytes()));
                for partition in partitions {
                    put_index(&mut payload, *partition);
                }
            }
        }
        payload
    }

    /// Decodes a payload.
    pub(super) fn decode(payload: &'a [u8]) -> Result<ControlMessage<'a>, Unreadable> {
        let mut reader = Reader(payload);
        let message = match reader.u8()? {
            HEARTBEAT => {
                let closes_when_cut_off = match reader.u8()? {
                    0 => false,
                    1 => true,
                    _ => return Err(Unreadable::Malformed),
                };
                let (count, mut sequences, mut presence) = (usize::from(reader.u16()?), Vec::new(), Vec::new());
                while !reader.0.is_empty() {
                    if sequences.len() < count {
                        sequences.push((read_channel(&mut reader)?, reader.u64()?));
                    } else {
                        presence.push((read_partition(&mut reader)?, reader.u64()?));
                    }
                }
                ControlMessage::Heartbeat { closes_when_cut_off, sequences, presence }
            }
            DEPARTURE => ControlMessage::Departure,
            CHANGE => ControlMessage::Change { id: reader.u64()?, change: ChangeMessage::decode(&mut reader)? },
            ACKNOWLEDGEMENT => ControlMessage::Acknowledgement { machine: reader.machine_id()?, id: reader.u64()? },
            PRESENCE_REQUEST => {
                let (machine, mut partitions) = (reader.option(Reader::machine_id)?, Vec::new());
                while !reader.0.is_empty() {
                    partitions.push(read_partition(&mut reader)?);
                }
                ControlMessage::PresenceRequest { machine, partitions }
            }
            _ => return Err(Unreadable::Malformed),
        };
        reader.finish()?;
        Ok(message)
    }
}

impl<'a> ChangeMessage<'a> {
    fn encode(&self, payload: &mut Vec<u8>) {
        match self {
            ChangeMessage::Users(user_ids) => {
                payload.put_u8(USERS);
                for user_id in user_ids {
                    put_bytes(payload, user_id.as_bytes());
                }
            }
            ChangeMessage::Role(role) => {
                payload.put_u8(ROLE);
                put_bytes(payload, role.as_bytes());
            }
            ChangeMessage::Objects(objects) => {
                payload.put_u8(OBJECTS);
                for (kind, id) in objects {
                    put_bytes(payload, kind.as_bytes());
                    put_object_id(payload, id);
                }
            }
            ChangeMessage::All => payload.put_u8(ALL),
            ChangeMessage::DisconnectUser { user_id, keep: None } => {
                payload.put_u8(DISCONNECT_USER);
                put_bytes(payload, user_id.as_bytes());
            }
            ChangeMessage::DisconnectUser { user_id, keep: Some(keep) } => {
                payload.put_u8(DISCONNECT_OTHERS);
                put_bytes(payload, user_id.as_bytes());
                payload.put_slice(&keep.to_bytes());
            }
            ChangeMessage::Disconnect(id) => {
                payload.put_u8(DISCONNECT);
                payload.put_slice(&id.to_bytes());
            }
        }
    }

    fn decode(reader: &mut Reader<'a>) -> Result<ChangeMessage<'a>, Unreadable> {
        Ok(match reader.u8()? {
            USERS => {
                let mut user_ids = Vec::new();
                while !reader.0.is_empty() {
                    user_ids.push(reader.text()?);
                }
                ChangeMessage::Users(user_ids)
            }
            ROLE => ChangeMessage::Role(reader.text()?),
            OBJECTS => {
                let mut objects = Vec::new();
                while !reader.0.is_empty() {
                    objects.push((reader.text()?, read_object_id(reader)?));
                }
                ChangeMessage::Objects(objects)
            }
            ALL => ChangeMessage::All,
            DISCONNECT_USER => ChangeMessage::DisconnectUser { user_id: reader.text()?, keep: None },
            DISCONNECT_OTHERS => {
                ChangeMessage::DisconnectUser { user_id: reader.text()?, keep: Some(reader.connection_id()?) }
            }
            DISCONNECT => ChangeMessage::Disconnect(reader.connection_id()?),
            _ => return Err(Unreadable::Malformed),
        })
    }
}

/// Appends the index of a channel, or the number of indexes.
fn put_index(payload: &mut Vec<u8>, index: usize) {
    payload.put_u16(u16::try_from(index).unwrap_or(u16::MAX));
}

/// Reads the index of a channel other than the control channel.
fn read_channel(reader: &mut Reader<'_>) -> Result<usize, Unreadable> {
    let index = usize::from(reader.u16()?);
    let channel = Channel::from_index(index).and_then(Channel::partition);
    channel.map(|_| index).ok_or(Unreadable::Malformed)
}

/// Reads the index of a partition.
fn read_partition(reader: &mut Reader<'_>) -> Result<usize, Unreadable> {
    let index = usize::from(reader.u16()?);
    if index < usize::from(PARTITION_COUNT) { Ok(index) } else { Err(Unreadable::Malformed) }
}

fn put_object_id(payload: &mut Vec<u8>, id: &ObjectId) {
    match id {
        ObjectId::Number(id) => {
            payload.put_u8(NUMBER);
            payload.put_i128(*id);
        }
        ObjectId::Text(id) => {
            payload.put_u8(TEXT);
            put_bytes(payload, id.as_bytes());
        }
    }
}

fn read_object_id(reader: &mut Reader<'_>) -> Result<ObjectId, Unreadable> {
    match reader.u8()? {
        NUMBER => Ok(ObjectId::Number(reader.i128()?)),
        TEXT => Ok(ObjectId::Text(reader.text()?.into())),
        _ => Err(Unreadable::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages() -> Vec<ControlMessage<'static>> {
        let (machine, connection) = (MachineId::from_bytes([7; 16]), ConnectionId::from_bytes([9; 16]));
        let changes = [
            ChangeMessage::Users(vec!["7", "", "ü"]),
            ChangeMessage::Users(Vec::new()),
            ChangeMessage::Role("moderator"),
            ChangeMessage::Objects(vec![("room", ObjectId::Number(-5)), ("", ObjectId::Text("5".into()))]),
            ChangeMessage::Objects(Vec::new()),
            ChangeMessage::All,
            ChangeMessage::DisconnectUser { user_id: "7", keep: None },
            ChangeMessage::DisconnectUser { user_id: "7", keep: Some(connection) },
            ChangeMessage::Disconnect(connection),
        ];
        let changes = changes.into_iter().zip(0..).map(|(change, id)| ControlMessage::Change { id, change });
        let others = [
            ControlMessage::Heartbeat {
                closes_when_cut_off: true,
                sequences: vec![(0, 1), (127, u64::MAX)],
                presence: vec![(5, 2)],
            },
            ControlMessage::Heartbeat { closes_when_cut_off: false, sequences: Vec::new(), presence: Vec::new() },
            ControlMessage::PresenceRequest { machine: Some(machine), partitions: vec![0, 127] },
            ControlMessage::PresenceRequest { machine: None, partitions: Vec::new() },
            ControlMessage::Departure,
            ControlMessage::Acknowledgement { machine, id: 3 },
        ];
        changes.chain(others).collect()
    }

    #[test]
    fn message_decodes_to_what_was_encoded() {
        for message in messages() {
            assert_eq!(ControlMessage::decode(&message.encode()).as_ref(), Ok(&message));
        }
    }

    #[test]
    fn truncated_or_extended_message_does_not_decode_to_the_original() {
        for message in messages() {
            let payload = message.encode();
            for length in 0..payload.len() {
                assert_ne!(ControlMessage::decode(&payload[..length]).as_ref(), Ok(&message));
            }
            let longer = [&payload[..], &[1]].concat();
            assert_ne!(ControlMessage::decode(&longer).as_ref(), Ok(&message));
        }
        assert_eq!(ControlMessage::decode(&[9]), Err(Unreadable::Malformed));
    }
}
