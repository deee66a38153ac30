//! Fixtures that most tests share: a user type, and permissions that a test controls.

#![allow(dead_code, unreachable_pub, reason = "each test uses its part")]

pub mod browser;
pub mod clients;
pub mod codenames;
pub mod limits;
pub mod log_capture;
pub mod progress;
pub mod raw_socket;
pub mod rng;
pub mod start_observer;

use std::borrow::Cow;
use std::sync::{LazyLock, Mutex};

use portcullis::{Error, Handler, Permission, PermissionContext, Result, User};
use serde::ser::{Serialize, SerializeSeq, Serializer};
use serde_json::value::RawValue;

/// A user with roles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub id: u32,
    pub roles: Vec<&'static str>,
}

impl User for Member {
    fn id(&self) -> Cow<'_, str> {
        self.id.to_string().into()
    }
}

/// Returns a member with these roles.
pub fn member(id: u32, roles: &[&'static str]) -> Member {
    Member { id, roles: roles.to_vec() }
}

/// Holds if the member has the role.
pub struct HasRole(pub &'static str);

impl<H: Handler<User = Member>> Permission<H> for HasRole {
    async fn has_permission(&self, _: &H, cx: &PermissionContext<'_, Member>) -> Result<bool> {
        Ok(cx.user().is_some_and(|member| member.roles.contains(&self.0)))
    }
}

/// A handler whose leaves record their evaluations.
pub trait EvaluationLog: Handler<User = Member> {
    fn evaluated(&self) -> &Mutex<Vec<&'static str>>;

    fn take(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.evaluated().lock().unwrap())
    }
}

/// A leaf whose result is a role of the user: `name:yes`, `name:err`, `name:401` or `name:panic`. Denies without such a
/// role.
pub struct Scripted(pub &'static str);

impl<H: EvaluationLog> Permission<H> for Scripted {
    async fn has_permission(&self, handler: &H, cx: &PermissionContext<'_, Member>) -> Result<bool> {
        handler.evaluated().lock().unwrap().push(self.0);
        let result = cx
            .user()
            .and_then(|member| member.roles.iter().find_map(|role| role.strip_prefix(self.0)?.strip_prefix(':')));
        match result {
            Some("yes") => Ok(true),
            Some("err") => Err(Error::internal("a leaf's secret")),
            Some("401") => Err(Error::unauthenticated()),
            Some("panic") => panic!("a leaf's secret"),
            _ => Ok(false),
        }
    }
}

/// About this many bytes of JSON. Raw text: escaping it byte by byte would take most of a test's time.
pub struct Padding(pub usize);

const PIECE: usize = 16 * 1024;

impl Serialize for Padding {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        static TEXT: LazyLock<Box<RawValue>> =
            LazyLock::new(|| RawValue::from_string(format!("\"{}\"", "x".repeat(PIECE))).unwrap());
        let mut pieces = serializer.serialize_seq(None)?;
        for _ in 0..self.0 / PIECE {
            pieces.serialize_element(&*TEXT)?;
        }
        pieces.serialize_element(&"x".repeat(self.0 % PIECE))?;
        pieces.end()
    }
}
