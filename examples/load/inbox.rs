//! What one connection of a client waits for and has received, and the comparison with what it gets.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;

use crate::ledger::{Ledger, Mistake, count};
use crate::requests::{Action, Answer, Request};
use crate::rights::Visibility;
use crate::server::TEXT;

/// The bits of a request id that number the requests of one user.
const SERIAL_BITS: u32 = 32;

/// How late an event may be: longer than a source that fails delays it, until the connection is closed for that.
const MAX_EVENT_DELAY: Duration = Duration::from_secs(20);

/// What one connection waits for.
pub(crate) struct Inbox<'a> {
    ledger: &'a Ledger,
    user: usize,
    pending: HashMap<u64, Request>,
    /// The highest id of a reply that comes in the order of the messages.
    last_in_order: Option<u64>,
    last_event: Option<u64>,
    /// The number of the next event when the first reply to `watch` was read: from here on events are due.
    first_due: Option<u64>,
    /// When replies were read, with the number of the next event.
    replies: VecDeque<(Instant, u64)>,
    /// The number of the next event at a reply that was read [`MAX_EVENT_DELAY`] before another one.
    overdue: u64,
}

/// What a frame is, if it is a close frame.
pub(crate) struct Closed(pub(crate) u16);

impl<'a> Inbox<'a> {
    pub(crate) fn new(ledger: &'a Ledger, user: usize) -> Inbox<'a> {
        Inbox {
            ledger,
            user,
            pending: HashMap::new(),
            last_in_order: None,
            last_event: None,
            first_due: None,
            replies: VecDeque::new(),
            overdue: 0,
        }
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
        if self.last_event.is_some_and(|last| last >= number) {
            self.record_mistake(Mistake::Order, frame);
        } else {
            self.record_missed(number);
        }
        self.last_event = Some(number);
    }

    /// Records the events between the last one, or the reply to `watch`, and the event `end` that were due.
    fn record_missed(&self, end: u64) {
        let Some(start) = self.last_event.map(|last| last + 1).or(self.first_due) else { return };
        let (ledger, user) = (self.ledger, self.user);
        let room = ledger.room_of_user(user);
        let skipped = (start..end).filter(|event| ledger.room_of_event(*event) == room);
        let is_due = |event: &u64| ledger.users()[user].visibility(*event) == Visibility::Due;
        let missed = skipped.filter(is_due).count() as u64;
        ledger.record_mistakes(Mistake::Missed, missed, || format!("user {user}: {missed} from {start} to {end}"));
    }

    /// Records that a reply was read: events that were published long before must have come.
    fn record_time(&mut self) {
        let now = Instant::now();
        self.replies.push_back((now, self.ledger.next_event()));
        let is_long_ago = |reply: &mut (Instant, u64)| now.duration_since(reply.0) >= MAX_EVENT_DELAY;
        while let Some((_, next_event)) = self.replies.pop_front_if(is_long_ago) {
            self.overdue = next_event;
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
            self.first_due.get_or_insert(self.ledger.next_event());
        }
        self.record_time();
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
        if self.first_due.is_some_and(|first| first < self.overdue) {
            count(&self.ledger.followed);
            self.record_missed(self.overdue);
        }
        self.ledger.users()[self.user].is_watching.store(false, Ordering::SeqCst);
    }
}
