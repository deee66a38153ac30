//! Shows: what a message between two processes costs, compared with the broker's own client, and how fast a change of rights
//!        holds in three processes.
//! Run: `cargo run --release --example brokers -- [--rounds N] [URL ..]` (Linux; a minute per broker). The URLs are those of
//!      brokers, for example `redis://127.0.0.1` and `nats://127.0.0.1`, which are the default.
//!
//! The processes of both kinds run at once and are measured in turn in short windows, and a ratio is that within a round: times
//! drift on shared machines. A message has a number and 100 bytes of text. The broker's own client encodes and decodes the same
//! fields as JSON. With Portcullis, a message is an event to a group, whose only member in each process is a WebSocket client in
//! that process: the time and the CPU include the permission, the frame, the socket, and the client that parses it. One process
//! sends for both, so the CPU of the sender includes the idle connections of the other one.

mod client_peer;
#[path = "../bench/measure.rs"]
#[expect(dead_code, reason = "the benchmark uses more of it")]
mod measure;
mod portcullis_peer;

use std::error::Error;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use client_peer::ClientPeer;
use measure::{cpu, error_of_median, median};
use portcullis::Propagation;
use portcullis_peer::{IDLE_USERS, PortcullisPeer, USERS};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::ChildStdout;
use tokio::time::timeout;

/// The numbers of machines that receive each message.
const MACHINES: [usize; 3] = [1, 2, 4];
/// The messages of a latency window.
const SINGLE_MESSAGES: u32 = 100;
/// The messages after which a receiver answers in a throughput window, and how often the sender may be ahead.
const BLOCK: u32 = 32;
const BLOCKS_AHEAD: u32 = 4;
/// The blocks of a throughput window.
const BLOCKS: u32 = 120;
/// The number of changes of rights.
const CHANGES: u32 = 1_000;
/// After this time an answer is lost.
const PATIENCE: Duration = Duration::from_secs(10);
/// After this time a machine knows all others.
const INTRODUCTION: Duration = Duration::from_secs(12);

/// A message. It is answered with its number if `wants_answer`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Note {
    number: u32,
    wants_answer: bool,
    text: String,
}

/// Where a note is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Request,
    Answer,
}

/// One process's side of a conversation.
enum Peer {
    Portcullis(Box<PortcullisPeer>),
    Client(ClientPeer),
}

impl Peer {
    /// Connects, and receives what is published in a direction.
    async fn connect(kind: &str, url: &str, prefix: &str, receives: Direction) -> Result<Peer, Box<dyn Error>> {
        Ok(match kind {
            "portcullis" => Peer::Portcullis(Box::new(PortcullisPeer::connect(url, prefix, Some(receives), 1).await?)),
            "changes" => Peer::Portcullis(Box::new(PortcullisPeer::connect(url, prefix, Some(receives), USERS).await?)),
            "idle" => Peer::Portcullis(Box::new(PortcullisPeer::connect(url, prefix, None, IDLE_USERS).await?)),
            _ => Peer::Client(ClientPeer::connect(url, prefix, receives).await?),
        })
    }

    async fn send(&mut self, direction: Direction, notes: Vec<Note>) -> Result<(), Box<dyn Error>> {
        match self {
            Peer::Portcullis(peer) => peer.send(direction, notes),
            Peer::Client(peer) => peer.send(direction, notes).await?,
        }
        Ok(())
    }

    async fn receive(&mut self) -> Result<Note, Box<dyn Error>> {
        match self {
            Peer::Portcullis(peer) => peer.receive().await,
            Peer::Client(peer) => peer.receive().await,
        }
    }
}

/// Answers until the process is ended.
async fn answer(kind: &str, url: &str, prefix: &str) -> Result<(), Box<dyn Error>> {
    let mut peer = Peer::connect(kind, url, prefix, Direction::Request).await?;
    let answers = !kind.starts_with("idle");
    println!("ready");
    loop {
        let note = peer.receive().await?;
        if note.wants_answer && answers {
            peer.send(Direction::Answer, vec![Note { wants_answer: false, ..note }]).await?;
        }
    }
}

/// Processes that receive, and the side of this process.
struct Conversation {
    own: Peer,
    others: Vec<Receiver>,
    /// A machine that is subscribed to the same channel, and has no member of the group.
    idle: Option<Receiver>,
    prefix: String,
    sent: u32,
}

/// A process, which is killed when it is dropped.
struct Receiver(Child);

impl Receiver {
    /// Starts a process and waits until it receives.
    async fn start(kind: &str, url: &str, prefix: &str) -> Result<Receiver, Box<dyn Error>> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--answer", kind, url, prefix]).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut process = Receiver(command.spawn()?);
        let output = process.0.stdout.take().ok_or("no output")?;
        let mut line = String::new();
        BufReader::new(ChildStdout::from_std(output)?).read_line(&mut line).await?;
        if line.trim() == "ready" { Ok(process) } else { Err("a process has not started".into()) }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The costs of one window.
#[derive(Clone, Copy, Default)]
struct Window {
    /// Seconds per message, or until a message has arrived.
    seconds: f64,
    /// CPU seconds per message of the sender, of one receiver, and of a machine without a member.
    sender: f64,
    receiver: f64,
    idle: f64,
}

impl Conversation {
    async fn start(kind: &str, url: &str, prefix: &str, machines: usize) -> Result<Conversation, Box<dyn Error>> {
        let prefix = format!("{prefix} {kind} {machines}");
        let mut others = Vec::new();
        for _ in 0..machines {
            others.push(Receiver::start(kind, url, &prefix).await?);
        }
        let own = Peer::connect(kind, url, &prefix, Direction::Answer).await?;
        Ok(Conversation { own, others, idle: None, prefix, sent: 0 })
    }

    /// Sends notes of which the last is answered.
    async fn send(&mut self, count: u32) -> Result<(), Box<dyn Error>> {
        let numbers = self.sent + 1..=self.sent + count;
        self.sent += count;
        let text = "x".repeat(100);
        let note = |number| Note { number, wants_answer: number == self.sent, text: text.clone() };
        let notes = numbers.map(note).collect();
        self.own.send(Direction::Request, notes).await
    }

    /// Waits for the answers of all receivers.
    async fn wait_for_answers(&mut self) -> Result<(), Box<dyn Error>> {
        for _ in 0..self.others.len() {
            timeout(PATIENCE, self.own.receive()).await.map_err(|_| "a message was lost")??;
        }
        Ok(())
    }

    /// Sends one note after the other. The time is half of that to the last answer.
    async fn latency(&mut self) -> Result<Window, Box<dyn Error>> {
        let mut times = Vec::new();
        for _ in 0..SINGLE_MESSAGES {
            let start = Instant::now();
            self.send(1).await?;
            self.wait_for_answers().await?;
            times.push(start.elapsed().as_secs_f64() / 2.0);
        }
        Ok(Window { seconds: median(&times).unwrap_or_default(), ..Window::default() })
    }

    /// Sends as fast as the receivers answer.
    async fn throughput(&mut self) -> Result<Window, Box<dyn Error>> {
        let (start, before) = (Instant::now(), self.cpu_times()?);
        for block in 0..BLOCKS {
            self.send(BLOCK).await?;
            if block >= BLOCKS_AHEAD {
                self.wait_for_answers().await?;
            }
        }
        for _ in 0..BLOCKS_AHEAD {
            self.wait_for_answers().await?;
        }
        let after = self.cpu_times()?;
        let spent = |of: usize| after[of].saturating_sub(before[of]).as_secs_f64() / f64::from(BLOCKS * BLOCK);
        let receivers: Vec<f64> = (1..=self.others.len()).map(spent).collect();
        let idle = if self.idle.is_some() { spent(after.len() - 1) } else { 0.0 };
        let seconds = start.elapsed().as_secs_f64() / f64::from(BLOCKS * BLOCK);
        Ok(Window { seconds, sender: spent(0), receiver: median(&receivers).unwrap_or_default(), idle })
    }

    /// The CPU times of this process, of the receivers, and of the idle machine.
    fn cpu_times(&self) -> Result<Vec<Duration>, Box<dyn Error>> {
        let others = self.others.iter().chain(&self.idle).map(|other| other.0.id());
        [std::process::id()].into_iter().chain(others).map(|process| Ok(cpu(process)?)).collect()
    }
}

/// A window with Portcullis and one with the client of the broker, per round.
type Pairs = Vec<(Window, Window)>;

/// Prints a row with the medians of both sides and the ratio within a round.
fn row(what: &str, unit: &str, scale: f64, pairs: &Pairs, value: impl Fn(&Window) -> f64) {
    let of = |side: fn(&(Window, Window)) -> &Window| pairs.iter().map(|pair| value(side(pair))).collect::<Vec<_>>();
    let (portcullis, client) = (of(|pair| &pair.0), of(|pair| &pair.1));
    let ratios: Vec<f64> = portcullis.iter().zip(&client).map(|(portcullis, client)| portcullis / client).collect();
    let median = |values: &[f64]| median(values).unwrap_or_default();
    let (portcullis, client, ratio) = (median(&portcullis) * scale, median(&client) * scale, median(&ratios));
    let error = error_of_median(&ratios).unwrap_or_default();
    println!("| {what}, {unit} | {portcullis:.1} | {client:.1} | {ratio:.2} ±{error:.2} |");
}

async fn compare(url: &str, prefix: &str, machines: usize, rounds: u32) -> Result<(), Box<dyn Error>> {
    let mut portcullis = Conversation::start("portcullis", url, prefix, machines).await?;
    let mut client = Conversation::start("client", url, prefix, machines).await?;
    // One subscriber more on each side.
    portcullis.idle = Some(Receiver::start("idle", url, &portcullis.prefix).await?);
    client.idle = Some(Receiver::start("idle client", url, &client.prefix).await?);
    let (mut single, mut many) = (Pairs::new(), Pairs::new());
    // The first round warms up.
    for round in 0..=rounds {
        eprint!("\r{machines} receivers, round {round} of {rounds}    ");
        // Each is first in every second round.
        let (pair, block_pair) = if round % 2 == 0 {
            let pair = (portcullis.latency().await?, client.latency().await?);
            (pair, (portcullis.throughput().await?, client.throughput().await?))
        } else {
            let (second, block_second) = (client.latency().await?, client.throughput().await?);
            ((portcullis.latency().await?, second), (portcullis.throughput().await?, block_second))
        };
        if round > 0 {
            single.push(pair);
            many.push(block_pair);
        }
    }
    eprintln!();
    let to = if machines == 1 { "one process".to_owned() } else { format!("{machines} processes") };
    row(&format!("one message to {to}: half of the round trip"), "µs", 1e6, &single, |window| window.seconds);
    row(&format!("many messages to {to}: time of each"), "µs", 1e6, &many, |window| window.seconds);
    row("the same: CPU of the sender", "µs", 1e6, &many, |window| window.sender);
    row("the same: CPU of one receiver", "µs", 1e6, &many, |window| window.receiver);
    let idle: Vec<f64> = many.iter().map(|(portcullis, _)| portcullis.idle * 1e6).collect();
    println!("| the same: CPU of a process without a member, µs | {:.1} | | |", median(&idle).unwrap_or_default());
    Ok(())
}

/// Measures how long a change of rights takes until two other processes have acknowledged it.
async fn changes(url: &str, prefix: &str) -> Result<(), Box<dyn Error>> {
    let conversation = Conversation::start("changes", url, prefix, 2).await?;
    let Peer::Portcullis(own) = &conversation.own else { return Err("no endpoint".into()) };
    eprintln!("waiting until the machines know each other");
    tokio::time::sleep(INTRODUCTION).await;
    let mut times = Vec::new();
    for change in 0..CHANGES {
        let start = Instant::now();
        let propagation = own.refresh(change).await;
        times.push(start.elapsed().as_secs_f64() * 1e3);
        match propagation {
            Propagation::Acknowledged { by, .. } if by.len() == 2 => {}
            other => return Err(format!("change {change}: {other:?}").into()),
        }
    }
    times.sort_by(f64::total_cmp);
    let at = |share: usize| times[(times.len() - 1) * share / 100];
    println!(
        "\n{CHANGES} changes of rights in three processes, each acknowledged by both others after: median {:.2} ms, 99th percentile {:.2} ms, \
         longest {:.2} ms.",
        at(50),
        at(99),
        at(100)
    );
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1).peekable();
    if arguments.next_if_eq("--answer").is_some() {
        let arguments: Vec<String> = arguments.collect();
        let [kind, url, prefix] = &arguments[..] else { return Err("--answer needs three values".into()) };
        return answer(kind, url, prefix).await;
    }
    if cfg!(debug_assertions) || !cfg!(target_os = "linux") {
        return Err("this needs --release, and Linux, whose /proc has the CPU times of a process".into());
    }
    let mut rounds = 20;
    if arguments.next_if_eq("--rounds").is_some() {
        rounds = arguments.next().ok_or("--rounds needs a number")?.parse()?;
    }
    let mut urls: Vec<String> = arguments.collect();
    if urls.is_empty() {
        urls = vec!["redis://127.0.0.1".to_owned(), "nats://127.0.0.1".to_owned()];
    }
    let prefix = format!("portcullis-brokers-{}", std::process::id());
    for url in urls {
        println!("\n| {url} | Portcullis | the broker's client | ratio |\n|---|---:|---:|---:|");
        for machines in MACHINES {
            compare(&url, &prefix, machines, rounds).await?;
        }
        changes(&url, &prefix).await?;
    }
    Ok(())
}
