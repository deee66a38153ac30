//! What attentive clients send, and which replies they accept.

use std::time::Instant;

use serde_json::{Value, json};

use crate::ledger::Mistake;
use crate::rights::Phase;
use crate::server::TEXT;

/// The last value of the streams.
const LAST_VALUE: u64 = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Echo,
    Read,
    Slow,
    Count,
    Watch,
}

/// Twice `Echo`: half of what clients do is quick.
pub(crate) const ACTIONS: [Action; 6] =
    [Action::Echo, Action::Echo, Action::Read, Action::Slow, Action::Count, Action::Watch];

impl Action {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Action::Echo => "echo",
            Action::Read => "read",
            Action::Slow => "slow",
            Action::Count => "count",
            Action::Watch => "watch",
        }
    }

    /// Returns whether its reply comes before those to later messages.
    pub(crate) fn is_in_order(self) -> bool {
        matches!(self, Action::Echo | Action::Read | Action::Watch)
    }
}

/// A request that waits for its last reply.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) action: Action,
    pub(crate) sent_at: Instant,
    id: u64,
    /// Of the user's right, when it was sent.
    phase: Phase,
    /// The values of a stream that have come.
    values: u64,
}

/// What a reply that is not wrong means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// A value of a stream; others follow.
    Value,
    /// The last reply.
    Last {
        status: u16,
        /// Whether the right was revoked from before the request was sent until after the reply was read.
        was_revoked: bool,
    },
}

impl Request {
    pub(crate) fn new(action: Action, id: u64, phase: Phase) -> Request {
        Request { action, id, sent_at: Instant::now(), phase, values: 0 }
    }

    /// Returns the message.
    pub(crate) fn message(&self) -> String {
        let Request { action, id, .. } = self;
        json!({ "action": action.name(), "request_id": id, "n": id, "to": LAST_VALUE }).to_string()
    }

    /// Compares a reply with the request. `phase` is that of the user's right now.
    ///
    /// # Errors
    ///
    /// Returns what is wrong with the reply.
    pub(crate) fn check(&mut self, reply: &Value, phase: Phase) -> Result<Answer, (Mistake, &'static str)> {
        if reply["action"] != self.action.name() || reply["route"] != "" {
            return wrong("it names another action");
        }
        let status = reply["status"]
            .as_u64()
            .and_then(|status| u16::try_from(status).ok())
            .ok_or((Mistake::Reply, "no status"))?;
        match (status, reply["errors"].as_array().map_or(&[][..], Vec::as_slice)) {
            (200, []) => self.check_success(reply, phase),
            (403, [error]) if self.action == Action::Read && error["code"] == "permission_denied" => {
                if phase == self.phase && phase.is_granted() {
                    return wrong("the right to it was not revoked");
                }
                Ok(Answer::Last { status, was_revoked: phase == self.phase && phase.is_revoked() })
            }
            (500, [error])
                if self.action == Action::Read && error["code"] == "internal_error" && error["id"].is_string() =>
            {
                Ok(Answer::Last { status, was_revoked: false })
            }
            _ => wrong("its status is not due"),
        }
    }

    fn check_success(&mut self, reply: &Value, phase: Phase) -> Result<Answer, (Mistake, &'static str)> {
        let (data, last) = (&reply["data"], reply.get("last"));
        let is_right = match self.action {
            Action::Count if self.values < LAST_VALUE => {
                self.values += 1;
                let is_next = *data == self.values && last == Some(&Value::Bool(false));
                return if is_next { Ok(Answer::Value) } else { wrong("it is not the next value") };
            }
            Action::Count => data.is_null() && last == Some(&Value::Bool(true)),
            Action::Read if phase == self.phase && phase.is_revoked() => {
                return Err((Mistake::Leak, "the right to it was revoked"));
            }
            Action::Read => data == TEXT && last.is_none(),
            Action::Echo => *data == self.id && last.is_none(),
            Action::Slow | Action::Watch => data.is_null() && last.is_none(),
        };
        if is_right { Ok(Answer::Last { status: 200, was_revoked: false }) } else { wrong("it has other data") }
    }
}

fn wrong(cause: &'static str) -> Result<Answer, (Mistake, &'static str)> {
    Err((Mistake::Reply, cause))
}
