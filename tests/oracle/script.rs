//! The script of leaves and actions, and their trace: shared between a case and its levels.

use std::sync::{Condvar, Mutex};
use std::thread::{self, ThreadId};
use std::time::Duration;

use portcullis::__private::{Call, Context, IntoReply, Reply};
use portcullis::{Created, Error, NoReply, PermissionContext, Result, StatusCode, User};

use crate::case::{ALL_CAPTURES, Answer, Answers, Handshake, Leaf, Outcome};
use crate::trace::{Captures, Event, Place, Seen, Way};

/// What the client must never read.
pub(crate) const SECRET: &str = "the cause of a fault";
/// The text of panics that belong to the script.
pub(crate) const SCRIPTED_PANIC: &str = "a scripted panic";
/// The delay of a late answer. Well within the action timeout.
pub(crate) const DELAY: Duration = Duration::from_millis(3);

/// The longest wait, in real time, before a test fails.
pub(crate) const MAX_WAIT: Duration = Duration::from_secs(10);

#[derive(Debug, Clone)]
pub(crate) struct Member;

impl User for Member {
    fn id(&self) -> std::borrow::Cow<'_, str> {
        "7".into()
    }
}

#[derive(Debug)]
pub(crate) struct Script {
    home: ThreadId,
    now: Mutex<Now>,
    log: Mutex<Vec<Event>>,
    released: Mutex<bool>,
    release: Condvar,
}

#[derive(Debug, Clone)]
enum Now {
    /// Handshakes are accepted, and nothing is evaluated.
    Open,
    Handshake(Handshake),
    Message(Answers, Outcome),
}

impl Script {
    /// A script for connections that are served on this thread. Handshakes are accepted.
    pub(crate) fn new() -> Script {
        Script {
            home: thread::current().id(),
            now: Mutex::new(Now::Open),
            log: Mutex::default(),
            released: Mutex::default(),
            release: Condvar::new(),
        }
    }

    pub(crate) fn accept_handshakes(&self) {
        *self.now.lock().unwrap() = Now::Open;
    }

    pub(crate) fn handshake(&self, handshake: &Handshake) {
        *self.now.lock().unwrap() = Now::Handshake(handshake.clone());
    }

    pub(crate) fn message(&self, answers: &Answers, outcome: Outcome) {
        *self.now.lock().unwrap() = Now::Message(*answers, outcome);
    }

    pub(crate) fn accepts_handshakes(&self) -> bool {
        matches!(self.now(), Now::Open)
    }

    /// Returns the trace since the last call.
    pub(crate) fn take_log(&self) -> Vec<Event> {
        std::mem::take(&mut *self.log.lock().unwrap())
    }

    /// Releases an action that blocks its thread.
    pub(crate) fn release(&self) {
        *self.released.lock().unwrap() = true;
        self.release.notify_all();
    }

    fn now(&self) -> Now {
        self.now.lock().unwrap().clone()
    }

    fn write(&self, event: Event) {
        self.log.lock().unwrap().push(event);
    }

    pub(crate) async fn can_connect(&self, place: &Place, leaf: Leaf) -> Result<Option<bool>> {
        self.write(Event::EvaluatedAtConnect(place.clone(), leaf));
        match self.now() {
            Now::Handshake(handshake) => answer_of(leaf, &handshake.connect).await,
            Now::Open | Now::Message(..) => unreachable!("bug: no handshake is expected"),
        }
    }

    pub(crate) async fn has_permission(&self, place: &Place, leaf: Leaf, seen: Seen) -> Result<bool> {
        self.write(Event::Evaluated(place.clone(), leaf, seen));
        let answers = match self.now() {
            Now::Handshake(handshake) => handshake.action,
            Now::Message(answers, _) => answers,
            Now::Open => unreachable!("bug: no evaluation is expected"),
        };
        Ok(answer_of(leaf, &answers).await?.expect("no opinion on a message"))
    }

    pub(crate) async fn run(&self, way: &Way, action: usize, call: &Call<'_, Member>, reply: &mut Reply) -> Result<()> {
        let Now::Message(_, outcome) = self.now() else { unreachable!("bug: no message is expected") };
        let cx = call.whole_context();
        self.write(Event::Ran(way.clone(), action, seen(&cx, captures(&cx))));
        match outcome {
            Outcome::Data => (thread::current().id() == self.home).into_reply(reply),
            Outcome::Created => Created("new").into_reply(reply),
            Outcome::NoReply => NoReply.into_reply(reply),
            Outcome::Error(status) => Err(error(status)),
            Outcome::Panic => panic!("{SCRIPTED_PANIC}"),
            Outcome::Never => std::future::pending().await,
            Outcome::Hold => {
                let released = self.released.lock().unwrap();
                drop(self.release.wait_timeout_while(released, MAX_WAIT, |released| !*released).unwrap());
                Ok(())
            }
        }
    }
}

async fn answer_of(leaf: Leaf, answers: &Answers) -> Result<Option<bool>> {
    let (answer, late) = answers[usize::from(leaf)];
    if late {
        tokio::time::sleep(DELAY).await;
    }
    match answer {
        Answer::Yes => Ok(Some(true)),
        Answer::No => Ok(Some(false)),
        Answer::NoOpinion => Ok(None),
        Answer::Error(status) => Err(error(status)),
        Answer::Panic => panic!("{SCRIPTED_PANIC}"),
        Answer::Never => std::future::pending().await,
    }
}

fn error(status: u16) -> Error {
    if status == 500 {
        return Error::internal(SECRET);
    }
    let detail = if (400..500).contains(&status) { "Scripted." } else { SECRET };
    Error::new(StatusCode::from_u16(status).unwrap(), "scripted", detail)
}

/// Reads all captures of the route.
pub(crate) fn captures(cx: &Context<'_, Member>) -> Captures {
    let read = |name: &&str| cx.capture::<String>(name).ok().map(|text| ((*name).to_owned(), text));
    ALL_CAPTURES.iter().filter_map(read).collect()
}

pub(crate) fn seen(cx: &PermissionContext<'_, Member>, captures: Captures) -> Seen {
    Seen { logged_in: cx.user().is_some(), action: cx.action().to_owned(), route: cx.route().to_owned(), captures }
}
