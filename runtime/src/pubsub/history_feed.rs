//! The histories of an endpoint: their logs without a broker, and the feeds, which decide what a session receives.
//!
//! The feed of a partition is locked while an event gets its position and is delivered, and while a session joins, so that each
//! event is either replayed to the session ([`resume`](super::resume)) or delivered to it.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use super::event::Emits;
use super::group::Group;
use super::group_hold::encode_key;
use super::position::PositionKey;
use super::publication::Publication;
use crate::broker::{Channel, LogContents, LogId, LogName, LogPosition, MemoryLogs, Partition, PartitionSet};
use crate::consumer::Consumer;
use crate::context::ConnectionId;
use crate::error::{Error, Result};
use crate::session::queued_event::QueuedEvent;
use crate::session::session::{Session, SessionRegistry};
use crate::sync::ignore_poison;

/// The number of partitions.
const FEED_COUNT: usize = 128;

/// Returns the log of a group. `None` if it keeps no history.
///
/// # Errors
///
/// 500 if the key of the group cannot be encoded.
pub(super) fn log_of<G: Group>(group: &G) -> Result<Option<LogId>> {
    let (Some(history), Some(codec)) = (G::HISTORY, G::CODEC) else { return Ok(None) };
    Ok(Some(history.log(G::NAME, &encode_key(&codec, group)?)))
}

/// The histories of an endpoint: logs, the key of positions, and a feed per partition.
pub(super) struct EndpointHistory<C: Consumer> {
    /// The logs of an endpoint without a broker.
    pub(super) logs: Arc<MemoryLogs>,
    key: OnceLock<Option<Arc<PositionKey>>>,
    /// By the index of the partition. Each protects what waits for the events of its groups. Locked while an event is delivered
    /// and while a session joins. Lock order: before all locks of sessions and groups. A thread that holds one takes no other.
    feeds: Vec<Mutex<Feed<C>>>,
    next_resume_id: AtomicU64,
}

/// What waits for the events of the groups of one partition.
pub(super) struct Feed<C: Consumer> {
    resumes: Vec<PendingResume<C>>,
}

/// An event of any type of consumer `C`.
pub(super) type AnyEvent<C> = Arc<dyn QueuedEvent<Session<C>>>;

/// A connection that is about to resume, with the events that were delivered meanwhile.
pub(super) struct PendingResume<C: Consumer> {
    id: u64,
    log: LogName,
    session: ConnectionId,
    max_events: usize,
    pub(super) events: Vec<(LogPosition, AnyEvent<C>)>,
    /// Whether some events are missing or would be repeated: there were too many, some were lost, or the connection has joined the
    /// group in another way meanwhile.
    pub(super) is_incomplete: bool,
}

/// Removes a [`PendingResume`] when it is dropped.
pub(super) struct ResumeHandle<C: Consumer> {
    history: Arc<EndpointHistory<C>>,
    pub(super) log: LogId,
    /// `None` if it was taken.
    id: Option<u64>,
}

impl<C: Consumer> Default for EndpointHistory<C> {
    fn default() -> Self {
        let feeds = (0..FEED_COUNT).map(|_| Mutex::new(Feed { resumes: Vec::new() })).collect();
        EndpointHistory { logs: Arc::default(), key: OnceLock::new(), feeds, next_resume_id: AtomicU64::new(0) }
    }
}

impl<C: Consumer> EndpointHistory<C> {
    pub(super) fn lock_feed(&self, partition: Partition) -> MutexGuard<'_, Feed<C>> {
        ignore_poison(self.feeds[Channel::Partition(partition).index()].lock())
    }

    /// Records that events of these partitions may have been lost, so that the resumes in progress there are incomplete.
    pub(super) fn record_loss(&self, partitions: PartitionSet) {
        for partition in partitions.iter() {
            self.lock_feed(partition).resumes.iter_mut().for_each(|resume| resume.is_incomplete = true);
        }
    }

    /// Collects the events of a log for a connection that is about to resume.
    pub(super) fn begin_resume(
        self: &Arc<Self>,
        log: LogId,
        session: ConnectionId,
        max_events: usize,
    ) -> ResumeHandle<C> {
        let id = self.next_resume_id.fetch_add(1, Ordering::Relaxed);
        let resume =
            PendingResume { id, log: log.name(), session, max_events, events: Vec::new(), is_incomplete: false };
        self.lock_feed(log.partition).resumes.push(resume);
        ResumeHandle { history: self.clone(), log, id: Some(id) }
    }
}

impl<C: Consumer> Feed<C> {
    /// Takes what was collected for a connection.
    pub(super) fn end_resume(&mut self, handle: &mut ResumeHandle<C>) -> Option<PendingResume<C>> {
        let id = handle.id.take()?;
        let index = self.resumes.iter().position(|resume| resume.id == id)?;
        Some(self.resumes.swap_remove(index))
    }

    /// Records that a connection joins a group from here on. What else it is about to resume there would repeat events.
    pub(super) fn record_join(&mut self, log: LogName, session: ConnectionId) {
        for resume in self.resumes.iter_mut().filter(|resume| resume.log == log && resume.session == session) {
            resume.is_incomplete = true;
        }
    }

    /// Returns whether a connection is about to resume a group.
    pub(super) fn is_awaited(&self, log: LogName) -> bool {
        self.resumes.iter().any(|resume| resume.log == log)
    }

    /// Collects an event for the connections that are about to resume its group.
    pub(super) fn record<E>(
        &mut self,
        log: LogName,
        position: LogPosition,
        event: &Arc<Publication<E>>,
        except: Option<ConnectionId>,
    ) where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        for resume in self.resumes.iter_mut().filter(|resume| resume.log == log && except != Some(resume.session)) {
            if resume.events.len() < resume.max_events {
                resume.events.push((position, event.clone()));
            } else {
                resume.is_incomplete = true;
            }
        }
    }
}

impl<C: Consumer> Drop for ResumeHandle<C> {
    fn drop(&mut self) {
        if self.id.is_some() {
            let partition = self.log.partition;
            let history = self.history.clone();
            let resume = history.lock_feed(partition).end_resume(self);
            // Not under the lock: dropping an event may run the application's code.
            drop(resume);
        }
    }
}

/// A delivery that waits.
type Deliver = Box<dyn FnOnce()>;

thread_local! {
    /// What waits until this thread has released the lock of a feed. `None` if it has locked none. The application's permissions and
    /// encodings, and the subscriber of the log, run meanwhile, and may publish to the same group.
    static WAITING: RefCell<Option<VecDeque<Deliver>>> = const { RefCell::new(None) };
}

/// Marks this thread as having locked a feed until it is dropped. Not [`Send`].
struct Delivering(PhantomData<*const ()>);

impl Delivering {
    /// Returns `None` if this thread is marked already.
    fn begin() -> Option<Delivering> {
        WAITING.with_borrow_mut(|waiting| {
            let is_first = waiting.is_none();
            waiting.get_or_insert_default();
            is_first.then(|| Delivering(PhantomData))
        })
    }

    fn next() -> Option<Deliver> {
        WAITING.with_borrow_mut(|waiting| waiting.as_mut()?.pop_front())
    }
}

impl Drop for Delivering {
    fn drop(&mut self) {
        // Dropped after the borrow ends, because that may run the application's code.
        drop(WAITING.take());
    }
}

/// Runs `deliver`, which locks a feed, now or when this thread has released the feed that it has locked. Returns the number of
/// deliveries, if they are done.
pub(super) fn deliver_in_turn(deliver: impl FnOnce() -> usize + 'static) -> usize {
    if WAITING.with_borrow(Option::is_none) {
        return in_turn(deliver);
    }
    WAITING.with_borrow_mut(|waiting| {
        waiting.get_or_insert_default().push_back(Box::new(|| {
            deliver();
        }));
    });
    0
}

/// Runs `run`, which locks a feed, and then what was to be delivered meanwhile.
pub(super) fn in_turn<T>(run: impl FnOnce() -> T) -> T {
    let _delivering = Delivering::begin();
    let value = run();
    while let Some(next) = Delivering::next() {
        next();
    }
    value
}

impl<C: Consumer> SessionRegistry<C> {
    pub(super) fn history(&self) -> Arc<EndpointHistory<C>> {
        self.attachment()
    }

    /// Returns the key of positions. `None` if the operating system has no random numbers.
    pub(super) fn position_key(&self, history: &EndpointHistory<C>) -> Option<Arc<PositionKey>> {
        let cluster_key = || self.node.get().and_then(|node| node.cluster_key());
        history.key.get_or_init(|| PositionKey::new(cluster_key()).ok().map(Arc::new)).clone()
    }

    /// Checks that the history of a group can be written.
    ///
    /// # Errors
    ///
    /// 503 if it is with the broker, which cannot be reached.
    pub(super) fn check_history<G: Group>(&self) -> Result<()> {
        match self.node.get() {
            Some(node) if G::HISTORY.is_some() && !node.is_connected() => Err(Error::broker_unavailable()),
            _ => Ok(()),
        }
    }

    /// Reads the events of a log after a position, or only its end.
    ///
    /// # Errors
    ///
    /// 503 if the broker cannot be reached.
    pub(super) async fn read_log(&self, log: LogId, after: Option<LogPosition>) -> Result<LogContents> {
        match self.node.get() {
            Some(node) => node.read_log(log, after).await,
            None => self.history().logs.read(&log, after),
        }
    }

    /// Forgets the history of a group.
    ///
    /// # Errors
    ///
    /// 503 if the broker cannot be reached.
    pub(super) async fn purge_log(&self, log: LogId) -> Result<()> {
        if let Some(node) = self.node.get() {
            return node.purge_log(log).await;
        }
        self.history().logs.purge(&log);
        Ok(())
    }
}
