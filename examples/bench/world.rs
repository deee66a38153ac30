//! The data of both servers: users with tokens and levels, rooms with members, and the number of messages sent.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

/// Users from 0 up to this exist; the token of user 7 is `tok-7`.
const USERS: u32 = 10_000;
/// Users below this number are members of every room, the others of none.
pub(crate) const MEMBERS: u32 = 2_000;
/// Rooms from 0 up to this exist.
pub(crate) const ROOMS: u32 = 16;

/// Standard collections with the standard hasher, as an application would use them.
pub(crate) struct World {
    users: HashMap<String, u32>,
    rooms: HashMap<u32, HashSet<u32>>,
    sent: AtomicU64,
}

impl World {
    pub(crate) fn new() -> Arc<World> {
        Arc::new(World {
            users: (0..USERS).map(|id| (format!("tok-{id}"), id)).collect(),
            rooms: (0..ROOMS).map(|room| (room, (0..MEMBERS).collect())).collect(),
            sent: AtomicU64::new(0),
        })
    }

    /// The user of the token in the query of the request.
    pub(crate) fn login(&self, query: Option<&str>) -> Option<u32> {
        let token = query?.split('&').find_map(|pair| pair.strip_prefix("token="))?;
        self.users.get(token).copied()
    }

    pub(crate) fn is_member(&self, room: u32, user: u32) -> bool {
        self.rooms.get(&room).is_some_and(|members| members.contains(&user))
    }

    /// The level of a user. A message may be for users from a level on.
    pub(crate) fn level(user: u32) -> u8 {
        (user % 10) as u8
    }

    pub(crate) fn send(&self) -> Sent {
        Sent { ok: true, id: self.sent.fetch_add(1, Ordering::Relaxed) + 1 }
    }
}

/// The reply to the sender of a message.
#[derive(Serialize)]
pub(crate) struct Sent {
    ok: bool,
    pub(crate) id: u64,
}

/// What the members of a room receive of a message.
#[derive(Serialize)]
pub(crate) struct SaidView<'a> {
    pub(crate) room_id: u32,
    pub(crate) user: u32,
    pub(crate) id: u64,
    pub(crate) text: &'a str,
}
