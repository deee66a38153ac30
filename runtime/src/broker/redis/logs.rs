//! The logs of a Redis server: one stream per log, with a hash for its epoch and its last sequence number.
//!
//! An epoch ends with the process of the server, because what a process has saved for the next one may lack the last messages,
//! whose sequence numbers would be given again.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use redis::aio::MultiplexedConnection;
use redis::{Cmd, ErrorKind, RedisError, RedisResult, cmd, pipe};
use tokio::sync::OnceCell;

use super::server_names::ServerNames;
use crate::broker::Channel;
use crate::broker::event_log::{LogContents, LogId, LogPosition, LoggedMessage};
use crate::broker::server_link::{ConnectionError, LogStore};
use crate::random::random_bytes;

const APPEND: &str = include_str!("append.lua");
const READ: &str = include_str!("read.lua");

/// The logs of a connection.
pub(super) struct RedisLogs {
    connection: MultiplexedConnection,
    names: Arc<ServerNames>,
    server: OnceCell<Arc<LogServer>>,
}

/// What is known of the server from the first use of a log on.
pub(super) struct LogServer {
    /// Identifies the process of the server.
    run_id: String,
    /// What the server calls the script.
    append_script: String,
}

/// How an append names its script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Script {
    /// By its text, after which the server knows it.
    Text,
    Name,
}

/// The reply to [`READ`]: the epoch, the last sequence number, and the messages with their ids and fields.
type ReadReply = (Vec<u8>, u64, Option<Vec<(String, (String, Vec<u8>))>>);

impl RedisLogs {
    pub(super) fn new(connection: MultiplexedConnection, names: Arc<ServerNames>) -> RedisLogs {
        RedisLogs { connection, names, server: OnceCell::new() }
    }

    /// Asks the server what the scripts need, once.
    pub(super) async fn server(&self) -> RedisResult<Arc<LogServer>> {
        let load = async || {
            let mut connection = self.connection.clone();
            let mut commands = pipe();
            commands.cmd("SCRIPT").arg("LOAD").arg(APPEND).cmd("INFO").arg("server");
            let (append_script, info): (String, String) = commands.query_async(&mut connection).await?;
            let Some(run_id) = info.lines().find_map(|line| line.strip_prefix("run_id:")) else {
                return Err((ErrorKind::UnexpectedReturnType, "INFO without run_id").into());
            };
            Ok::<_, RedisError>(Arc::new(LogServer { run_id: run_id.trim().to_owned(), append_script }))
        };
        self.server.get_or_try_init(load).await.cloned()
    }

    /// Returns the command that appends a message.
    pub(super) fn append(
        &self,
        server: &LogServer,
        script: Script,
        log: &LogId,
        message: &[u8],
    ) -> Result<Cmd, ConnectionError> {
        let mut append = match script {
            Script::Text => script_command("EVAL", APPEND),
            Script::Name => script_command("EVALSHA", &server.append_script),
        };
        self.log_arguments(&mut append, server, log)?;
        append.arg(self.names.channel_name(Channel::History(log.partition))).arg(message);
        Ok(append)
    }

    /// Adds the arguments that both scripts start with.
    fn log_arguments(&self, command: &mut Cmd, server: &LogServer, log: &LogId) -> Result<(), ConnectionError> {
        let [messages, state] = self.names.log_keys(log);
        let new_epoch: [u8; 8] = random_bytes().map_err(|error| error.to_string())?;
        command.arg(2).arg(messages).arg(state).arg(&server.run_id).arg(&new_epoch);
        command.arg(log.max_messages).arg(millis(log.max_age));
        Ok(())
    }

    async fn read_log(&self, log: &LogId, after: Option<LogPosition>) -> Result<LogContents, ConnectionError> {
        let server = self.server().await?;
        let mut read = script_command("EVAL", READ);
        self.log_arguments(&mut read, &server, log)?;
        match after {
            Some(LogPosition { epoch, sequence }) => read.arg(&epoch.to_be_bytes()).arg(sequence),
            None => read.arg("").arg(0),
        };
        let reply: ReadReply = read.query_async(&mut self.connection.clone()).await?;
        contents(reply).ok_or_else(|| "the reply of the server cannot be read".into())
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
        Box::pin(async move {
            Ok(cmd("DEL").arg(&self.names.log_keys(log)).exec_async(&mut self.connection.clone()).await?)
        })
    }
}

fn script_command(command: &str, script: &str) -> Cmd {
    let mut command = cmd(command);
    command.arg(script);
    command
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
