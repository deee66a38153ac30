//! The cost of delivering events over sockets to the members of one group.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::driver::{OTHER_FILES, Pairs, WARM_UP, WINDOW, Window, in_turn};
use super::load::{Connection, Expected, FIRST_ID, Fleet, Request, text_of};
use super::measure::{Clocks, Spent};
use super::report::{Comparison, Load, Noise};
use super::server::{Kind, Placement, Server, allow_open_files};
use super::start_up::check;

const ROOM: u32 = 5;
const PUBLISHER: u32 = 0;
/// The beginning of a copy, before the id that the server gives it.
const COPY_START: &[u8] = br#"{"event":"said","data":{"room_id":5,"user":0,"id":"#;
/// The numbers of outstanding publications, and the largest of them.
const OUTSTANDING: [usize; 2] = [1, MOST];
const MOST: usize = 4;
/// From this number of members on a publication takes so long that a window is a second.
const MANY: u32 = 1_000;
/// The time after which copies that have not arrived are lost.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) async fn run(kinds: [Kind; 2], placement: Placement, rounds: u32, members: u32) -> io::Result<Comparison> {
    let files = members.saturating_mul(2).saturating_add(OTHER_FILES);
    if allow_open_files(files)? < files {
        return Err(io::Error::other(format!(
            "{members} members need {files} open files, more than the system permits"
        )));
    }
    let servers = [Server::start(kinds[0], placement)?, Server::start(kinds[1], placement)?];
    check([&servers[0], &servers[1]]).await?;
    let mut audiences = [Audience::open(&servers[0], members).await?, Audience::open(&servers[1], members).await?];
    let mut noise = Noise::default();
    let mut pairs = OUTSTANDING.map(|_| Pairs::new());
    let window = async |side: usize, load: usize| audiences[side].window(&servers[side], OUTSTANDING[load]).await;
    in_turn(rounds, &mut pairs.each_mut(), &mut noise, window).await?;
    eprintln!();
    let what = |outstanding| format!("{members} members, publications outstanding: {outstanding}");
    let loads = OUTSTANDING.into_iter().zip(pairs).map(|(number, windows)| Load { what: what(number), windows });
    Ok(Comparison { kinds, rounds, placement, units: ["delivery", "deliveries"], loads: loads.collect(), noise })
}

/// The members of a room and a connection that publishes to them.
struct Audience {
    publisher: Connection,
    /// The number of publications until now.
    sent: usize,
    copies: Arc<Copies>,
    /// Tasks that read the copies until one fails.
    subscribers: JoinSet<io::Error>,
}

impl Audience {
    async fn open(server: &Server, members: u32) -> io::Result<Audience> {
        // The text contains the id of the request, so that each copy can be told from the others.
        let text = format!("{}{FIRST_ID}", text_of(56));
        let copies = Arc::new(Copies { members, ..Copies::default() });
        let mut subscribers = JoinSet::new();
        for mut connection in Fleet::connect(server.address, members).await? {
            let reply =
                connection.call(&format!(r#"{{"action":"join","route":"rooms/{ROOM}/","request_id":1}}"#)).await?;
            if !reply.contains(r#""status":200,"#) {
                return Err(io::Error::other(format!("a member could not join: {reply}")));
            }
            connection.expected = Expected::new(COPY_START, format!(r#","text":"{text}"}}}}"#));
            subscribers.spawn(subscribe(connection, copies.clone()));
        }
        let mut publisher = Connection::open(server.address, PUBLISHER).await?;
        publisher.request = Request::new("publish", ROOM, &text);
        Ok(Audience { publisher, sent: 0, copies, subscribers })
    }

    async fn window(&mut self, server: &Server, outstanding: usize) -> io::Result<(Spent, Window)> {
        let Audience { publisher, sent, copies, subscribers } = self;
        let end = AtomicBool::new(false);
        let sample = || io::Result::Ok((Clocks::read(server.process())?, copies.total.load(Ordering::Relaxed)));
        let clock = async {
            tokio::time::sleep(WARM_UP).await;
            let first = sample()?;
            tokio::time::sleep(if copies.members > MANY { Duration::from_secs(1) } else { WINDOW }).await;
            let last = sample()?;
            end.store(true, Ordering::Relaxed);
            Ok((first, last))
        };
        let publishing = publish(publisher, sent, copies, outstanding, &end);
        tokio::select! {
            Some(failed) = subscribers.join_next() => Err(failed?),
            measured = async { tokio::try_join!(clock, publishing) } => {
                let ((first, last), ()) = measured?;
                Window::between(first, last)
            }
        }
    }
}

/// Keeps a number of publications outstanding until the end, then waits for the last copies. A publication is outstanding
/// until its reply and the copies to all members have arrived.
async fn publish(
    publisher: &mut Connection,
    sent: &mut usize,
    copies: &Copies,
    outstanding: usize,
    end: &AtomicBool,
) -> io::Result<()> {
    let (mut answered, mut complete) = (*sent, *sent);
    loop {
        if !end.load(Ordering::Relaxed) {
            let free = outstanding - (*sent - complete);
            publisher.send(free).await?;
            *sent += free;
        } else if complete == *sent {
            return Ok(());
        }
        tokio::select! {
            replies = publisher.receive() => answered += replies?,
            () = copies.complete.notified() => {}
            () = tokio::time::sleep(PATIENCE) => {
                return Err(io::Error::other("a reply or a copy has not arrived within ten seconds"));
            }
        }
        while complete < answered && copies.take(complete) {
            complete += 1;
        }
    }
}

/// Reads copies and counts them. A wrong copy, or one after a lost copy, is an error.
async fn subscribe(mut connection: Connection, copies: Arc<Copies>) -> io::Error {
    let mut received = 0;
    loop {
        match connection.receive().await {
            Ok(count) => {
                for publication in received..received + count {
                    copies.add(publication);
                }
                received += count;
            }
            Err(error) => return error,
        }
        // Pings are answered.
        if let Err(error) = connection.send(0).await {
            return error;
        }
    }
}

/// Counts the copies that arrive.
#[derive(Default)]
struct Copies {
    members: u32,
    /// The copies of each outstanding publication.
    arrived: [AtomicU32; MOST],
    /// All copies until now.
    total: AtomicU64,
    /// A publication has arrived at all members.
    complete: Notify,
}

impl Copies {
    fn add(&self, publication: usize) {
        self.total.fetch_add(1, Ordering::Relaxed);
        if self.arrived[publication % MOST].fetch_add(1, Ordering::Relaxed) + 1 == self.members {
            self.complete.notify_one();
        }
    }

    /// Returns whether all copies of a publication have arrived. If so, its counter is free for another.
    fn take(&self, publication: usize) -> bool {
        self.arrived[publication % MOST].compare_exchange(self.members, 0, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}
