//! The command that appends a message to a log.

use redis::aio::MultiplexedConnection;
use redis::{Cmd, RedisResult, pipe};

use super::log_connection::run_id;
use super::logs::script_command;
use super::server_names::ServerNames;
use crate::broker::Channel;
use crate::broker::event_log::LogId;
use crate::broker::server_link::ConnectionError;

const APPEND: &str = include_str!("append.lua");

/// The script that appends messages, and what it needs to know of the server.
pub(super) struct AppendScript {
    /// Identifies the process of the server.
    run_id: String,
    /// What the server calls the script.
    name: String,
}

/// How an append names its script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Script {
    /// By its text, after which the server knows it.
    Text,
    Name,
}

impl AppendScript {
    /// Loads the script into the server.
    pub(super) async fn load(connection: &mut MultiplexedConnection) -> RedisResult<AppendScript> {
        let mut commands = pipe();
        commands.cmd("SCRIPT").arg("LOAD").arg(APPEND).cmd("INFO").arg("server");
        let (name, info): (String, String) = commands.query_async(connection).await?;
        Ok(AppendScript { run_id: run_id(&info)?, name })
    }

    /// Returns the command that appends a message.
    pub(super) fn command(
        &self,
        names: &ServerNames,
        script: Script,
        log: &LogId,
        message: &[u8],
    ) -> Result<Cmd, ConnectionError> {
        let (command, script) = match script {
            Script::Text => ("EVAL", APPEND),
            Script::Name => ("EVALSHA", &*self.name),
        };
        let mut append = script_command((command, script), names, &self.run_id, log)?;
        append.arg(names.channel_name(Channel::History(log.partition))).arg(message);
        Ok(append)
    }
}
