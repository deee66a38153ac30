//! What one connection of a client waits for and has received, and the comparison with what it gets.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;

use crate::ledger::{Ledger, Mistake, count};
use crate::requests::{Action, Answer, Request};
use crate::rights::Visibility;
use crate::server::TEXT;

/// The bits of a request id that number the requests of one user.
const SERIAL_BITS: u32 = 32;

/// What one connection waits for.
pub(crate) struct Inbox<'a> {
    ledger: &'a Ledger,
    user: usize,
    pending: HashMap<u64, Request>,
    /// The highest id of a reply that comes in the order of the messages.
    last_in_order: Option<u64>,
    last_event: Option<u64>,
}

/// What a frame is, if it is a close frame.
pub(crate) struct Closed(pub(crate) u16);

impl<'a> Inbox<'a> {
    pub(crate) fn new(ledger: &'a Ledger, user: usize) -> Inbox<'a> {
        Inbox { ledger, user, pending: HashMap::new(), last_in_order: None, last_event: None }
    }

    /// Returns the number of requests without a reply.
    pub(crate) fn pending(&self) -> u64 {
        self.pending.len() as u64
    }

    /// Adds a request, and returns its message. `serial` is another one for each request of a user.
    pub(crate) fn request(&mut self, action: Action, serial: u64) -> String {
        let id = (self.user as u64) << SERIAL_BITS | serial;
        let request = Request::new(action, id, self.ledger.users()[self.user].phase());
        let message = request.message();
        count(&self.ledger.requests);
        self.pending.insert(id, request);
        message
    }

    /// Gives up the requests that have waited for a reply for this long: they are lost.
    pub(crate) fn give_up(&mut self, min_age: Duration) {
        let is_old = |_: &u64, request: &mut Request| request.sent_at.elapsed() >= min_age;
        let (user, lost) = (self.user, self.pending.extract_if(is_old).collect::<Vec<_>>());
        self.ledger.record_mistakes(Mistake::Lost, lost.len() as u64, || format!("user {user}: {lost:?}"));
    }

    /// Compares a frame with what is due.
    pub(crate) fn receive(&mut self, frame: &Message) -> Result<(), Closed> {
        match frame {
            Message::Text(text) => match serde_json::from_str::<Value>(text) {
                Ok(frame) if frame.get("event").is_some() => self.receive_event(&frame),
                Ok(frame) => self.receive_reply(&frame),
                Err(_) => self.record_mistake(Mistake::Frame, text),
            },
            Message::Close(close) => return Err(Closed(close.as_ref().map_or(1005, |close| close.code.into()))),
            Message::Ping(_) => {}
            Message::Binary(_) | Message::Pong(_) | Message::Frame(_) => self.record_mistake(Mistake::Frame, &frame),
        }
        Ok(())
    }

    fn receive_event(&mut self, frame: &Value) {
        let data = &frame["data"];
        let Some(number) = data["number"].as_u64().filter(|_| frame["event"] == "said" && data["text"] == TEXT) else {
            return self.record_mistake(Mistake::Frame, frame);
        };
        count(&self.ledger.received);
        let rights = &self.ledger.users()[self.user];
        if self.ledger.room_of_event(number) != self.ledger.room_of_user(self.user) {
            self.record_mistake(Mistake::Foreign, frame);
        }
        match rights.visibility(number) {
            Visibility::Hidden => self.record_mistake(Mistake::Leak, frame),
            Visibility::Due => count(&self.ledger.due),
            Visibility::Either => {}
        }
        match self.last_event.replace(number) {
            Some(last) if last >= number => self.record_mistake(Mistake::Order, frame),
            Some(last) => {
                let skipped = (last..number).step_by(self.ledger.rooms).skip(1);
                let missed = skipped.filter(|skipped| rights.visibility(*skipped) == Visibility::Due).count();
                let user = self.user;
                let describe = || format!("user {user}: {missed} between {last} and {number}");
                self.ledger.record_mistakes(Mistake::Missed, missed as u64, describe);
            }
            None => {}
        }
    }

    fn receive_reply(&mut self, frame: &Value) {
        let id = frame["request_id"].as_u64().unwrap_or(u64::MAX);
        let rights = &self.ledger.users()[self.user];
        let Some(request) = self.pending.get_mut(&id) else {
            let is_own = id >> SERIAL_BITS == self.user as u64;
            return self.record_mistake(if is_own { Mistake::Duplicate } else { Mistake::Foreign }, frame);
        };
        let (status, was_revoked) = match request.check(frame, rights.phase()) {
            Ok(Answer::Value) => return,
            Ok(Answer::Last { status, was_revoked }) => (status, was_revoked),
            Err((mistake, cause)) => {
                self.ledger.record_mistakes(mistake, 1, || format!("{cause}: {frame} for {request:?}"));
                (frame["status"].as_u64().and_then(|status| status.try_into().ok()).unwrap_or(0), false)
            }
        };
        if status == 500 && !rights.excuses_reply() {
            self.ledger.record_mistakes(Mistake::Reply, 1, || format!("the source has not failed: {frame}"));
        }
        let (action, latency) = (request.action, request.sent_at.elapsed());
        self.pending.remove(&id);
        self.ledger.record_reply(action.name(), status, latency);
        if was_revoked {
            count(&self.ledger.refused);
        }
        if action == Action::Watch && status == 200 {
            rights.is_watching.store(true, Ordering::SeqCst);
        }
        if action.is_in_order() && self.last_in_order.replace(id).is_some_and(|last| last > id) {
            self.record_mistake(Mistake::Reply, &format_args!("not in order: {frame}"));
        }
    }

    fn record_mistake(&self, mistake: Mistake, frame: &impl std::fmt::Debug) {
        self.ledger.record_mistakes(mistake, 1, || format!("user {}: {frame:?}", self.user));
    }
}

impl Drop for Inbox<'_> {
    fn drop(&mut self) {
        self.ledger.users()[self.user].is_watching.store(false, Ordering::SeqCst);
    }
}
