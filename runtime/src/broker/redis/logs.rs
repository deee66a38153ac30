//! The logs of a Redis server: one stream per log, with a hash for its epoch and its last sequence number.
//!
//! An epoch ends with the process of the server, because what a process has saved for the next one may lack the last messages,
//! whose sequence numbers would be given again. It also ends when the server becomes a primary, because it may lack the last
//! messages of the previous primary, or its own ones of before it was a replica.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use redis::{Client, Cmd, cmd};

use super::log_connection::LogConnection;
use super::server_names::ServerNames;
use crate::broker::event_log::{LogContents, LogId, LogPosition, LoggedMessage, MAX_READ_BYTES};
use crate::broker::server_link::{ConnectionError, LogStore};
use crate::random::random_bytes;

const READ: &str = include_str!("read.lua");

/// The logs of a link, while its connection lasts.
pub(super) struct RedisLogs {
    connection: LogConnection,
    names: Arc<ServerNames>,
}

/// The reply to [`READ`]: the epoch, the last sequence number, and the messages with their ids and fields.
type ReadReply = (Vec<u8>, u64, Option<Vec<(String, (String, Vec<u8>))>>);

impl RedisLogs {
    pub(super) fn new(client: Client, names: Arc<ServerNames>) -> RedisLogs {
        RedisLogs { connection: LogConnection::new(client), names }
    }

    async fn read_log(&self, log: &LogId, after: Option<LogPosition>) -> Result<LogContents, ConnectionError> {
        let reply = self.connection.request(|server| {
            let mut read = script_command(("EVAL", READ), &self.names, &server.run_id, log)?;
            match after {
                Some(LogPosition { epoch, sequence }) => read.arg(&epoch.to_be_bytes()).arg(sequence),
                None => read.arg("").arg(0),
            };
            read.arg(MAX_READ_BYTES);
            Ok(read)
        });
        contents(reply.await?).ok_or_else(|| "the reply of the server cannot be read".into())
    }
}

impl LogStore for RedisLogs {
    fn read<'a>(
        &'a self,
        log: &'a LogId,
        after: Option<LogPosition>,
    ) -> BoxFuture<'a, Result<LogContents, ConnectionError>> {
        Box::pin(self.read_log(log, after))
    }

    fn purge<'a>(&'a self, log: &'a LogId) -> BoxFuture<'a, Result<(), ConnectionError>> {
        Box::pin(self.connection.request(move |_| {
            let mut delete = cmd("DEL");
            delete.arg(&self.names.log_keys(log));
            Ok(delete)
        }))
    }
}

/// Returns a command that calls a script, with the arguments that both scripts start with.
pub(super) fn script_command(
    (command, script): (&str, &str),
    names: &ServerNames,
    run_id: &str,
    log: &LogId,
) -> Result<Cmd, ConnectionError> {
    let [messages, state] = names.log_keys(log);
    let new_epoch: [u8; 8] = random_bytes().map_err(|error| error.to_string())?;
    let mut command = cmd(command);
    command.arg(script).arg(2).arg(messages).arg(state).arg(run_id).arg(&new_epoch);
    command.arg(log.max_messages).arg(millis(log.max_age));
    Ok(command)
}

/// Returns an age as the server counts it. A key that expires after zero is deleted at once.
fn millis(age: Duration) -> u64 {
    // Above this, the server does not accept it.
    const MAX: u64 = 1 << 53;
    u64::try_from(age.as_millis()).unwrap_or(MAX).clamp(1, MAX)
}

fn contents((epoch, last, messages): ReadReply) -> Option<LogContents> {
    let epoch = u64::from_be_bytes(epoch.try_into().ok()?);
    let logged = |(id, (_, message)): (String, (String, Vec<u8>))| {
        let (sequence, received_at) = id.split_once('-')?;
        let (sequence, received_at) = (sequence.parse().ok()?, received_at.parse().ok()?);
        Some(LoggedMessage { sequence, received_at, message: Bytes::from(message) })
    };
    let messages = match messages {
        Some(messages) => Some(messages.into_iter().map(logged).collect::<Option<_>>()?),
        None => None,
    };
    Some(LogContents { end: LogPosition { epoch, sequence: last }, messages })
}
