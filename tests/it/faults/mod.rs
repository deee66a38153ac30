//! Every fault of every callback of the application, in every phase of a connection. Each test runs one phase: a table with
//! a row per callback and a column per fault, whose cells say what the affected client observes.
//!
//! In every cell a bystander, which is a member of the same groups, receives every event in order and at once, its own
//! messages are answered, and a fault is logged with the name of the permission or callback that it occurred in.

mod calls;
mod delivery;
mod depot;
mod handshake;
mod rights;
mod values;

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use portcullis::testing::{Client, connect};
use portcullis::{Endpoint, Error, Limits, Result};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout};

use self::depot::{Depot, Grants, Hall, Said};
use crate::common::limits::without_heartbeat;
use crate::common::log_capture::LogCapture;
use crate::common::{Member, member};

/// The user whose callbacks fail, and one whose callbacks work.
const SUBJECT: u32 = 1;
const BYSTANDER: u32 = 2;

/// Less than the time limit of an evaluation (5 s) and of an action.
const SLOW: Duration = Duration::from_secs(2);
const ACTION_TIMEOUT: Duration = Duration::from_secs(10);

/// Longer than all retries of an evaluation and the spread of the closes after them.
const PATIENCE: Duration = Duration::from_secs(40);

/// What a callback of the application does instead of its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// Fails with 409.
    Refuse,
    /// Fails with 500.
    Fail,
    Panic,
    Hang,
    /// Works, but takes [`SLOW`].
    Slow,
    /// Fails with 500 once, and then works.
    FailOnce,
}

impl Fault {
    const ALL: [Fault; 6] = [Fault::Refuse, Fault::Fail, Fault::Panic, Fault::Hang, Fault::Slow, Fault::FailOnce];
}

/// The callback that is at fault, by the name that the log has.
type Place = &'static str;

/// Returns whether a callback can have this fault: some return no `Result`, some cannot wait.
fn can_have(place: Place, fault: Fault) -> bool {
    match place {
        "coalesce_key" | "Watch" | "framed" => fault == Fault::Panic,
        "packed" => !matches!(fault, Fault::Hang | Fault::Slow),
        "#[disconnect]" => matches!(fault, Fault::Panic | Fault::Hang | Fault::Slow),
        _ => true,
    }
}

struct State {
    armed: Mutex<Option<(Place, Fault)>>,
    /// How many bodies of actions have begun, and how many may end.
    begun: Semaphore,
    may_end: Semaphore,
}

impl Default for State {
    fn default() -> State {
        State { armed: Mutex::default(), begun: Semaphore::new(0), may_end: Semaphore::new(0) }
    }
}

impl State {
    fn arm(&self, place: Place, fault: Fault) {
        *self.armed.lock().unwrap() = Some((place, fault));
    }

    fn disarm(&self) {
        *self.armed.lock().unwrap() = None;
    }

    /// Returns the fault of a callback for this user, if it has one now.
    fn take(&self, place: Place, user: u32) -> Option<Fault> {
        let mut armed = self.armed.lock().unwrap();
        let fault = armed.filter(|(armed, _)| *armed == place && user == SUBJECT).map(|(_, fault)| fault);
        if fault == Some(Fault::FailOnce) {
            *armed = None;
        }
        fault
    }

    /// The body of an async callback.
    async fn run(&self, place: Place, user: u32) -> Result<()> {
        match self.take(place, user) {
            Some(Fault::Hang) => std::future::pending().await,
            Some(Fault::Slow) => {
                sleep(SLOW).await;
                Ok(())
            }
            fault => fail(fault),
        }
    }

    /// The body of a callback that cannot wait.
    fn run_sync(&self, place: Place, user: u32) -> Result<()> {
        fail(self.take(place, user))
    }
}

fn fail(fault: Option<Fault>) -> Result<()> {
    match fault {
        Some(Fault::Refuse) => Err(Error::conflict("It is taken.")),
        Some(Fault::Fail | Fault::FailOnce) => Err(Error::internal("the database is gone")),
        Some(Fault::Panic) => panic!("a callback panicked"),
        Some(Fault::Hang | Fault::Slow) => panic!("this callback cannot wait"),
        None => Ok(()),
    }
}

/// Returns the id of a user. Anonymous connections have no faults.
fn id_of(user: Option<&Member>) -> u32 {
    user.map_or(0, |member| member.id)
}

struct Fixture {
    state: Arc<State>,
    depot: Endpoint<Depot>,
    log: LogCapture,
    published: u32,
}

impl Fixture {
    fn new() -> Fixture {
        Fixture::with(Limits { action_timeout: ACTION_TIMEOUT, grants_max_age: None, ..without_heartbeat() })
    }

    fn with(limits: Limits) -> Fixture {
        let state = Arc::<State>::default();
        let depot = portcullis::websocket(Depot::new(state.clone())).grants(Grants(state.clone())).limits(limits);
        Fixture { state, depot, log: LogCapture::start(), published: 0 }
    }

    async fn open(&self, user: u32) -> Client {
        let mut client = connect(&self.depot).user(member(user, &[])).open().await.unwrap();
        assert_eq!(client.call("ping").await.status(), 200);
        client
    }

    /// Asserts that a client receives three events at once and in order, and that its own message is answered.
    async fn assert_undisturbed(&mut self, client: &mut Client) {
        let started_at = Instant::now();
        let first = self.published;
        for number in first..first + 3 {
            self.depot.publisher().publish(&Hall, Said(number));
        }
        self.published += 3;
        for number in first..first + 3 {
            assert_eq!(client.event_as::<u32>("said").await, number);
        }
        assert_eq!(client.call("ping").await.status(), 200);
        assert_eq!(started_at.elapsed(), Duration::ZERO, "it had to wait");
    }

    /// Asserts that a client has received every event so far that this fixture has published to the hall, in order.
    async fn assert_received(&self, client: &mut Client) {
        for number in 0..self.published {
            assert_eq!(client.event_as::<u32>("said").await, number);
        }
        assert_eq!(client.call("ping").await.status(), 200);
    }

    /// Asserts that the log has an error with this text if the fault is one that is logged, or else that it has no error.
    fn assert_logged(&self, text: &str, fault: Fault) {
        let is_logged = !matches!(fault, Fault::Refuse | Fault::Slow);
        self.assert_logged_if(is_logged, text, fault);
    }

    fn assert_logged_if(&self, is_logged: bool, text: &str, fault: Fault) {
        let lines = self.log.take();
        let mut errors = lines.iter().filter(|line| line.starts_with("ERROR"));
        let is_correct = if is_logged { errors.any(|line| line.contains(text)) } else { errors.next().is_none() };
        assert!(is_correct, "{fault:?} and `{text}`: {lines:#?}");
    }
}

/// Waits, and returns `open` if the server has not closed the connection by then, or else the close code.
async fn end_of(client: &mut Client, wait: Duration) -> String {
    match timeout(wait, client.closed()).await {
        Ok(code) => code.to_string(),
        Err(_) => "open".to_owned(),
    }
}

/// Ends a connection and returns what it has received of three events: `all` in order, `none`, or their numbers; then the
/// status with which its subscription ended, and the code with which the server closed it, if either has happened.
async fn outcome(client: Client, numbers: &[u32; 3]) -> String {
    let (messages, code) = client.close().await;
    let received: Vec<u32> = messages
        .iter()
        .filter(|message| message.event_name().is_some_and(|name| name != "unsubscribed"))
        .filter_map(|message| message.data().as_u64())
        .filter_map(|number| u32::try_from(number).ok().filter(|number| *number >= 100))
        .collect();
    let mut outcome = match &received[..] {
        [] => "none".to_owned(),
        all if all == numbers => "all".to_owned(),
        some => format!("{some:?}"),
    };
    if let Some(end) = messages.iter().find(|message| message.event_name() == Some("unsubscribed")) {
        write!(outcome, " ended {}", end.data()["status"]).unwrap();
    }
    if code == 1000 {
        let is_answered = messages.iter().any(|message| message.value()["status"] == 200);
        assert!(is_answered, "an open connection is not answered");
    } else {
        write!(outcome, " {code}").unwrap();
    }
    outcome
}

/// Renders a table with one row per place and one column per fault.
async fn table(places: &[Place], faults: &[Fault], mut run: impl AsyncFnMut(Place, Fault) -> String) -> String {
    render(
        places,
        faults,
        async |place, fault| {
            if can_have(place, fault) { run(place, fault).await } else { "-".to_owned() }
        },
    )
    .await
}

/// Renders a table with the cells that `run` returns.
async fn render<C: Copy + std::fmt::Debug>(
    rows: &[&'static str],
    columns: &[C],
    mut run: impl AsyncFnMut(&'static str, C) -> String,
) -> String {
    let mut table = String::new();
    let mut push = |first: &str, cells: &[String]| {
        let cells: Vec<String> = cells.iter().map(|cell| format!("{cell:<14}")).collect();
        table += format!("{first:<22} {}", cells.join(" ")).trim_end();
        table.push('\n');
    };
    let names: Vec<String> = columns.iter().map(|column| format!("{column:?}").replace('"', "")).collect();
    push("", &names);
    for row in rows {
        let mut cells = Vec::new();
        for column in columns {
            cells.push(run(row, *column).await);
        }
        push(row, &cells);
    }
    table
}

/// Asserts that two tables are equal, and prints both if they are not.
#[track_caller]
fn assert_table(actual: &str, expected: &str) {
    let expected = expected.trim_start_matches('\n');
    assert!(actual == expected, "expected:\n{expected}\nactual:\n{actual}");
}
