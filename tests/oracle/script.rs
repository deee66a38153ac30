//! The script of leaves and actions, and their trace: shared between a case and its levels.

use std::sync::{Condvar, Mutex};
use std::thread::{self, ThreadId};
use std::time::Duration;

use portcullis::__private::{Call, Context, IntoReply, Reply};
use portcullis::{Created, Error, NoReply, Result, StatusCode, User};

use crate::case::{ALL_CAPTURES, Answer, Answers, Door, Leaf, Outcome};
use crate::trace::{Event, Place, Seen, Way};

/// What the client must never read.
pub(crate) const SECRET: &str = "the cause of a fault";
/// The text of panics that belong to the script.
pub(crate) const SCRIPTED_PANIC: &str = "a scripted panic";
/// The delay of a late answer. Well within the action timeout.
pub(crate) const A_WHILE: Duration = Duration::from_millis(3);

/// The longest wait, in real time, before a test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

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
    Door(Door),
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

    pub(crate) fn open_door(&self) {
        *self.now.lock().unwrap() = Now::Open;
    }

    pub(crate) fn door(&self, door: &Door) {
        *self.now.lock().unwrap() = Now::Door(door.clone());
    }

    pub(crate) fn message(&self, answers: &Answers, outcome: Outcome) {
        *self.now.lock().unwrap() = Now::Message(*answers, outcome);
    }

    pub(crate) fn is_door_open(&self) -> bool {
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
        self.write(Event::AskedAtDoor(place.clone(), leaf));
        match self.now() {
            Now::Door(door) => said(leaf, &door.connect).await,
            Now::Open | Now::Message(..) => unreachable!("nobody connects now"),
        }
    }

    pub(crate) async fn has_permission(&self, place: &Place, leaf: Leaf, cx: &Context<'_, Member>) -> Result<bool> {
        self.write(Event::Asked(place.clone(), leaf, seen(cx)));
        let answers = match self.now() {
            Now::Door(door) => door.action,
            Now::Message(answers, _) => answers,
            Now::Open => unreachable!("nothing is asked now"),
        };
        Ok(said(leaf, &answers).await?.expect("no opinion on a message"))
    }

    pub(crate) async fn run(&self, way: &Way, action: usize, call: &Call<'_, Member>, reply: &mut Reply) -> Result<()> {
        let Now::Message(_, outcome) = self.now() else { unreachable!("there is no message") };
        self.write(Event::Ran(way.clone(), action, seen(&call.whole_context())));
        match outcome {
            Outcome::Data => (thread::current().id() == self.home).into_reply(reply),
            Outcome::Created => Created("new").into_reply(reply),
            Outcome::NoReply => NoReply.into_reply(reply),
            Outcome::Error(status) => Err(error(status)),
            Outcome::Panic => panic!("{SCRIPTED_PANIC}"),
            Outcome::Never => std::future::pending().await,
            Outcome::Hold => {
                let held = self.released.lock().unwrap();
                drop(self.release.wait_timeout_while(held, PATIENCE, |released| !*released).unwrap());
                Ok(())
            }
        }
    }
}

async fn said(leaf: Leaf, answers: &Answers) -> Result<Option<bool>> {
    let (answer, late) = answers[usize::from(leaf)];
    if late {
        tokio::time::sleep(A_WHILE).await;
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

fn seen(cx: &Context<'_, Member>) -> Seen {
    let read = |name: &&str| cx.capture::<String>(name).ok().map(|text| ((*name).to_owned(), text));
    Seen {
        logged_in: cx.user().is_some(),
        action: cx.action().to_owned(),
        route: cx.route().to_owned(),
        captures: ALL_CAPTURES.iter().filter_map(read).collect(),
    }
}
