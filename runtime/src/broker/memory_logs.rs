//! The logs of groups with a history in one process.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep_until};

use super::event_log::{LogContents, LogId, LogName, LogPosition, LoggedMessage};
use crate::error::Result;
use crate::random::random_bytes;
use crate::sync::ignore_poison;

/// The number of logs that are kept although they have never had a message. Clients may choose the keys of groups.
const MAX_READ_ONLY: usize = 65_536;

/// Logs by their names. A log of which everything has expired is removed; what has expired in others is not read, and is removed
/// with the next message.
#[derive(Debug, Default)]
pub(crate) struct MemoryLogs {
    state: Mutex<Logs>,
}

#[derive(Debug, Default)]
struct Logs {
    by_name: HashMap<LogName, Log>,
    /// When each log expires, so that none outlives its messages.
    expiry: BTreeSet<(Instant, LogName)>,
    /// The logs that were read before they had a message, the oldest first. Some may have messages by now, or be gone.
    read_only: VecDeque<LogName>,
    /// Whether a task removes what expires.
    is_swept: bool,
}

#[derive(Debug)]
struct Log {
    epoch: u64,
    /// The sequence number of the last message that was appended.
    last: u64,
    /// When the last message expires.
    expires_at: Instant,
    messages: VecDeque<(Instant, LoggedMessage)>,
}

impl Log {
    fn remove_expired(&mut self, now: Instant) {
        while self.messages.front().is_some_and(|(expires_at, _)| *expires_at <= now) {
            self.messages.pop_front();
        }
    }
}

impl Logs {
    fn remove_expired(&mut self, now: Instant) {
        while let Some((expires_at, name)) = self.expiry.first().copied()
            && expires_at <= now
        {
            self.expiry.pop_first();
            self.by_name.remove(&name);
        }
    }

    /// Removes the oldest logs that have never had a message, if there are too many. Nobody recovers by their positions.
    fn bound_read_only(&mut self) {
        while self.read_only.len() > MAX_READ_ONLY {
            let Some(name) = self.read_only.pop_front() else { return };
            if let Entry::Occupied(log) = self.by_name.entry(name)
                && log.get().last == 0
            {
                let expires_at = log.remove().expires_at;
                self.expiry.remove(&(expires_at, name));
            }
        }
    }

    /// Returns a log, which is kept for its age from now on.
    fn log(&mut self, id: &LogId, now: Instant) -> Result<&mut Log> {
        self.remove_expired(now);
        self.bound_read_only();
        let expires_at = now + id.max_age;
        let log = match self.by_name.entry(id.name()) {
            Entry::Occupied(log) => log.into_mut(),
            Entry::Vacant(vacant) => {
                let epoch = u64::from_be_bytes(random_bytes()?);
                self.read_only.push_back(id.name());
                vacant.insert(Log { epoch, last: 0, expires_at, messages: VecDeque::new() })
            }
        };
        self.expiry.remove(&(log.expires_at, id.name()));
        self.expiry.insert((expires_at, id.name()));
        log.expires_at = expires_at;
        log.remove_expired(now);
        Ok(log)
    }
}

impl MemoryLogs {
    fn state(&self) -> MutexGuard<'_, Logs> {
        ignore_poison(self.state.lock())
    }

    /// Appends a message and returns its position.
    ///
    /// # Errors
    ///
    /// A fault if the operating system has no random numbers.
    pub(crate) fn append(self: &Arc<Self>, id: &LogId, message: Bytes) -> Result<LogPosition> {
        let now = Instant::now();
        let mut state = self.state();
        let log = state.log(id, now)?;
        log.last += 1;
        let message = LoggedMessage { sequence: log.last, received_at: unix_millis(SystemTime::now()), message };
        log.messages.push_back((now + id.max_age, message));
        if log.messages.len() > usize::try_from(id.max_messages).unwrap_or(usize::MAX) {
            log.messages.pop_front();
        }
        let position = LogPosition { epoch: log.epoch, sequence: log.last };
        self.ensure_swept(&mut state);
        Ok(position)
    }

    /// Reads the messages after a position, or only the end of the log.
    ///
    /// # Errors
    ///
    /// A fault if the operating system has no random numbers.
    pub(crate) fn read(self: &Arc<Self>, id: &LogId, after: Option<LogPosition>) -> Result<LogContents> {
        let mut state = self.state();
        let log = state.log(id, Instant::now())?;
        let end = LogPosition { epoch: log.epoch, sequence: log.last };
        let messages = after.filter(|after| after.epoch == log.epoch && after.sequence <= log.last).and_then(|after| {
            let first = log.messages.front().map_or(log.last + 1, |(_, message)| message.sequence);
            let messages = log.messages.iter().map(|(_, message)| message);
            (first <= after.sequence + 1)
                .then(|| messages.filter(|message| message.sequence > after.sequence).cloned().collect())
        });
        self.ensure_swept(&mut state);
        Ok(LogContents { end, messages })
    }

    /// Forgets the messages of a log. No position from before is good any more.
    pub(crate) fn purge(&self, id: &LogId) {
        let mut state = self.state();
        if let Some(log) = state.by_name.remove(&id.name()) {
            state.expiry.remove(&(log.expires_at, id.name()));
        }
    }

    /// Removes what has expired, and returns when the next log expires.
    fn sweep(&self) -> Option<Instant> {
        let mut state = self.state();
        state.remove_expired(Instant::now());
        let next_at = state.expiry.first().map(|(expires_at, _)| *expires_at);
        state.is_swept = next_at.is_some();
        next_at
    }

    /// Spawns a task that removes what expires, until there is nothing left. Without a runtime, the next call removes it.
    fn ensure_swept(self: &Arc<Self>, state: &mut Logs) {
        if !state.is_swept
            && let Ok(runtime) = Handle::try_current()
        {
            state.is_swept = true;
            runtime.spawn(sweep(Arc::downgrade(self)));
        }
    }
}

async fn sweep(logs: Weak<MemoryLogs>) {
    // Ends with the logs or with the runtime. In the latter case, `is_swept` stays set, and each call removes what has expired.
    while let Some(next_at) = logs.upgrade().and_then(|logs| logs.sweep()) {
        sleep_until(next_at.max(Instant::now() + MIN_SWEEP_INTERVAL)).await;
    }
}

/// The time between two sweeps, at least.
const MIN_SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// Returns a time in milliseconds since 1970.
pub(crate) fn unix_millis(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(number: usize) -> LogId {
        LogId::new("Room", &number.to_be_bytes(), 5, Duration::from_mins(1))
    }

    #[test]
    fn logs_without_messages_are_bounded() {
        let logs: Arc<MemoryLogs> = Arc::default();
        let position = logs.append(&log(0), Bytes::from_static(b"kept")).unwrap();
        for number in 1..MAX_READ_ONLY + 1000 {
            logs.read(&log(number), None).unwrap();
        }
        let state = logs.state();
        assert!((MAX_READ_ONLY..=MAX_READ_ONLY + 2).contains(&state.by_name.len()), "{}", state.by_name.len());
        assert_eq!(state.by_name.len(), state.expiry.len());
        drop(state);
        let start = LogPosition { sequence: 0, ..position };
        assert_eq!(logs.read(&log(0), Some(start)).unwrap().messages.unwrap().len(), 1);
    }
}
