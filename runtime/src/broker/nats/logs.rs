//! The logs of a NATS server: one `JetStream` stream per namespace and bounds, with two subjects per log.
//!
//! The messages of a log are on the first subject, and the stream publishes each again on the history channel of the log's
//! partition. On the second one are marks: they are positions to hand out while the last message is about to expire, or while there
//! is none. A position is good as long as the message or the mark at its sequence number is kept. Then no message after it has
//! expired, and whether some were trimmed shows by their number: the stream keeps one more per subject than the log.
//!
//! An epoch ends with the process of the server, because what a process has written for the next one may lack the last messages,
//! whose sequence numbers would be given again.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use async_nats::Client;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use async_nats::jetstream::message::StreamMessage;
use async_nats::jetstream::stream::{Config, DirectGetError, DirectGetErrorKind, Info, Republish, StorageType, Stream};
use async_nats::jetstream::{self, Context};
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use sha2::{Digest, Sha256};
use tokio::time::{Instant, timeout};

use crate::broker::Channel;
use crate::broker::event_log::{LogContents, LogId, LogPosition, LoggedMessage, MAX_READ_BYTES};
use crate::broker::memory_logs::unix_millis;
use crate::broker::server_link::{ConnectionError, LogStore};
use crate::sync::ignore_poison;

/// How long a server that has refused a stream is not asked again by appends.
const REFUSAL_PAUSE: Duration = Duration::from_secs(1);

/// How long appends rely on a stream that was there. Its operator may delete it.
pub(super) const STREAM_TRUST: Duration = Duration::from_secs(10);

/// How long an append waits for a reply about its stream.
const STREAM_TIMEOUT: Duration = Duration::from_secs(1);

/// The logs of a connection.
pub(super) struct NatsLogs {
    pub(super) client: Client,
    pub(super) jetstream: Context,
    /// What all subjects of the link start with.
    pub(super) subject_prefix: String,
    /// Protects what appends know of the streams.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The streams that exist, and when each was seen.
    streams: HashMap<String, Instant>,
    refused_at: Option<Instant>,
}

/// The subjects of a log.
struct Subjects {
    messages: String,
    marks: String,
}

impl NatsLogs {
    pub(super) fn new(client: Client, subject_prefix: String) -> NatsLogs {
        let jetstream = jetstream::new(client.clone());
        NatsLogs { client, jetstream, subject_prefix, state: Mutex::default() }
    }

    /// Returns the bounds of a log as a token of the names of its stream and subjects.
    fn bounds(log: &LogId) -> String {
        format!("{}-{}", log.max_messages, log.max_age.as_millis())
    }

    fn stream_name(&self, log: &LogId) -> String {
        // A name has no dots.
        format!("{}{}", self.subject_prefix.replace('.', "+"), NatsLogs::bounds(log))
    }

    fn subjects(&self, log: &LogId) -> Subjects {
        let (prefix, bounds, name) = (&self.subject_prefix, NatsLogs::bounds(log), log.name());
        let partition = Channel::Partition(log.partition);
        Subjects {
            messages: format!("{prefix}log.{bounds}.{partition}.{name}"),
            marks: format!("{prefix}mark.{bounds}.{name}"),
        }
    }

    /// Returns the stream of a log, and creates it if there is none.
    async fn stream(&self, log: &LogId) -> Result<Stream, ConnectionError> {
        let (prefix, bounds) = (&self.subject_prefix, NatsLogs::bounds(log));
        let messages = format!("{prefix}log.{bounds}.*.*");
        let republish = Republish {
            source: messages.clone(),
            // A server of version 2.9 requires that it has all wildcards of the source.
            destination: format!("{prefix}history.{{{{wildcard(1)}}}}.{{{{wildcard(2)}}}}"),
            headers_only: false,
        };
        let config = Config {
            name: self.stream_name(log),
            subjects: vec![messages, format!("{prefix}mark.{bounds}.*")],
            max_messages_per_subject: i64::from(log.max_messages) + 1,
            max_age: log.max_age,
            storage: StorageType::File,
            allow_direct: true,
            republish: Some(republish),
            ..Config::default()
        };
        Ok(self.jetstream.get_or_create_stream(config).await?)
    }

    /// Returns the subject by which a message is appended to a log.
    pub(super) async fn append_subject(&self, log: &LogId) -> Result<String, ConnectionError> {
        let name = self.stream_name(log);
        let (is_refused, is_known) = {
            let state = ignore_poison(self.state.lock());
            if state.streams.get(&name).is_some_and(|seen_at| seen_at.elapsed() < STREAM_TRUST) {
                return Ok(self.subjects(log).messages);
            }
            let is_refused = state.refused_at.is_some_and(|refused_at| refused_at.elapsed() < REFUSAL_PAUSE);
            (is_refused, state.streams.contains_key(&name))
        };
        if is_refused {
            return Err("the server has refused the stream".into());
        }
        // A server that keeps no logs at the moment may still pass on everything else, so that is no loss of the link.
        let stream = match timeout(STREAM_TIMEOUT, self.stream(log)).await {
            Ok(stream) => stream.map(|_| ()),
            Err(_) if is_known => Ok(()),
            Err(_) => Err("the server did not reply to a request for a stream".into()),
        };
        let mut state = ignore_poison(self.state.lock());
        match stream {
            Ok(()) => _ = state.streams.insert(name, Instant::now()),
            Err(_) => state.refused_at = Some(Instant::now()),
        }
        drop(state);
        stream.map(|()| self.subjects(log).messages)
    }

    pub(super) fn epoch(&self, stream: &Info) -> u64 {
        let server = self.client.server_info().server_id;
        let created = stream.created.unix_timestamp_nanos().to_be_bytes();
        let hash: [u8; 32] = Sha256::new().chain_update(created).chain_update(server).finalize().into();
        hash.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
    }

    async fn read_log(&self, log: &LogId, after: Option<LogPosition>) -> Result<LogContents, ConnectionError> {
        let (stream, subjects) = (self.stream(log).await?, self.subjects(log));
        let epoch = self.epoch(stream.cached_info());
        let last = found(stream.direct_get_last_for_subject(&*subjects.messages).await)?;
        let mark = found(stream.direct_get_last_for_subject(&*subjects.marks).await)?;
        let newest = last.into_iter().chain(mark).max_by_key(|message| message.sequence);
        // A position is handed out while at least half of its time is left.
        let is_young = |message: &StreamMessage| {
            unix_millis(SystemTime::now()).saturating_sub(millis_of(message)) < half_millis(log.max_age)
        };
        let sequence = match newest.filter(is_young) {
            Some(newest) => newest.sequence,
            // After all messages that are there.
            None => self.jetstream.publish(subjects.marks.clone(), Bytes::new()).await?.await?.sequence,
        };
        let messages = match after.filter(|after| after.epoch == epoch && (1..=sequence).contains(&after.sequence)) {
            Some(after) => messages_after(&stream, &subjects, log, (after.sequence, sequence)).await?,
            None => None,
        };
        let up_to_end = |messages: Vec<LoggedMessage>| {
            messages.into_iter().take_while(|message| message.sequence <= sequence).collect()
        };
        Ok(LogContents { end: LogPosition { epoch, sequence }, messages: messages.map(up_to_end) })
    }
}

impl LogStore for NatsLogs {
    fn read<'a>(
        &'a self,
        log: &'a LogId,
        after: Option<LogPosition>,
    ) -> BoxFuture<'a, Result<LogContents, ConnectionError>> {
        Box::pin(self.read_log(log, after))
    }

    fn purge<'a>(&'a self, log: &'a LogId) -> BoxFuture<'a, Result<(), ConnectionError>> {
        Box::pin(async move {
            let (stream, Subjects { messages, marks }) = (self.stream(log).await?, self.subjects(log));
            // Acknowledged after all that this connection has appended is in the stream.
            self.jetstream.publish(marks.clone(), Bytes::new()).await?.await?;
            // The marks first: a position at one of them must not be good while messages after it are missing.
            stream.purge().filter(marks).await?;
            stream.purge().filter(messages).await?;
            Ok(())
        })
    }
}

/// Returns the messages after a sequence number, at least up to the end, which is another one. `None` if the first is none of the
/// log, or if some messages may be missing.
async fn messages_after(
    stream: &Stream,
    subjects: &Subjects,
    log: &LogId,
    (after, end): (u64, u64),
) -> Result<Option<Vec<LoggedMessage>>, ConnectionError> {
    let messages = match found(stream.direct_get_next_for_subject(subjects.messages.clone(), Some(after + 1)).await)? {
        Some(_) => consume(stream, subjects, log, (after + 1, end)).await?,
        None => Some(Vec::new()),
    };
    let Some(messages) = messages else { return Ok(None) };
    // If some were trimmed before this, there was one message too many; if meanwhile, it was the first one.
    if let Some(first_read) = messages.first() {
        let first = found(stream.direct_get_first_for_subject(subjects.messages.clone()).await)?;
        if first.is_none_or(|first| first.sequence > first_read.sequence) {
            return Ok(None);
        }
    }
    // Checked last: what is kept now was kept all the time.
    let position = found(stream.direct_get(after).await)?;
    let is_kept = position.is_some_and(|at| *at.subject == *subjects.messages || *at.subject == *subjects.marks);
    Ok(is_kept.then_some(messages))
}

/// Reads the messages from a sequence number on, at least up to the end, by a consumer, which has them sent without a request for
/// each. `None` if there are more than the log keeps or than are read at once, or if one was lost on the way.
async fn consume(
    stream: &Stream,
    subjects: &Subjects,
    log: &LogId,
    (start_sequence, end): (u64, u64),
) -> Result<Option<Vec<LoggedMessage>>, ConnectionError> {
    let max_messages = usize::try_from(log.max_messages).unwrap_or(usize::MAX);
    let config = pull::Config {
        filter_subject: subjects.messages.clone(),
        deliver_policy: DeliverPolicy::ByStartSequence { start_sequence },
        ack_policy: AckPolicy::None,
        memory_storage: true,
        // If it is not deleted, because the connection or this call ends.
        inactive_threshold: Duration::from_secs(5),
        ..pull::Config::default()
    };
    let consumer = stream.create_consumer(config).await?;
    // The server counts subjects and headers, too.
    let request = consumer.fetch().max_messages(max_messages.saturating_add(1)).max_bytes(2 * MAX_READ_BYTES);
    let mut sent = request.messages().await?;
    let (mut messages, mut pending, mut bytes, mut is_complete) = (Vec::new(), 0, 0, true);
    while let Some(message) = sent.next().await {
        let Ok(message) = message else {
            // For example, because there are more bytes.
            is_complete = false;
            break;
        };
        let info = message.info()?;
        pending = info.pending;
        is_complete &= info.consumer_sequence == messages.len() as u64 + 1;
        let received_at = u64::try_from(info.published.unix_timestamp_nanos() / 1_000_000).unwrap_or_default();
        // A copy, because the payload keeps the whole read buffer.
        let payload = Bytes::copy_from_slice(&message.payload);
        bytes += payload.len();
        if bytes > MAX_READ_BYTES {
            is_complete = false;
            break;
        }
        messages.push(LoggedMessage { sequence: info.stream_sequence, received_at, message: payload });
    }
    drop(sent);
    stream.delete_consumer(&consumer.cached_info().name).await?;
    // Those that are not sent were appended meanwhile.
    is_complete &= pending == 0 || messages.last().is_some_and(|last| last.sequence >= end);
    let count = messages.len() as u64 + pending;
    Ok((is_complete && count <= u64::from(log.max_messages)).then_some(messages))
}

/// Returns `None` if there is no such message.
fn found(message: Result<StreamMessage, DirectGetError>) -> Result<Option<StreamMessage>, ConnectionError> {
    match message {
        Ok(message) => Ok(Some(message)),
        Err(error) if error.kind() == DirectGetErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Returns when the server has received a message, in milliseconds since 1970.
fn millis_of(message: &StreamMessage) -> u64 {
    u64::try_from(message.time.unix_timestamp_nanos() / 1_000_000).unwrap_or_default()
}

fn half_millis(age: Duration) -> u64 {
    u64::try_from(age.as_millis() / 2).unwrap_or(u64::MAX)
}
