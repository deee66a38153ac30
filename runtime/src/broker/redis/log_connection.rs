//! The connection by which logs are read and purged.

use std::sync::{Arc, Mutex};

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, ErrorKind, FromRedisValue, RedisResult, cmd};

use crate::broker::server_link::ConnectionError;
use crate::sync::ignore_poison;

/// A connection apart from the one that subscribes: the server closes a subscribed connection that is sent much at a time, and a
/// large reply would delay messages and heartbeats. It is opened by the first request, and by the next one after a request has
/// failed.
pub(super) struct LogConnection {
    client: Client,
    current: Mutex<Option<Arc<LogServer>>>,
    /// Held while the connection is opened, so that there is one. Locked before `current`.
    opening: tokio::sync::Mutex<()>,
}

/// The server, as it is reached by one connection.
pub(super) struct LogServer {
    connection: MultiplexedConnection,
    /// Identifies the process of the server.
    pub(super) run_id: String,
}

/// Closes the connection when it is dropped, unless the request has succeeded: the caller of a request drops it when it takes too
/// long.
struct PendingRequest<'a> {
    connection: &'a LogConnection,
    server: Arc<LogServer>,
    has_succeeded: bool,
}

impl LogConnection {
    pub(super) fn new(client: Client) -> LogConnection {
        LogConnection { client, current: Mutex::new(None), opening: tokio::sync::Mutex::new(()) }
    }

    /// Sends a command and waits for the reply. It is sent again if the connection was closed since the last one: the server may
    /// close idle connections, other than those that subscribe.
    pub(super) async fn request<T: FromRedisValue>(
        &self,
        command: impl Fn(&LogServer) -> Result<Cmd, ConnectionError>,
    ) -> Result<T, ConnectionError> {
        let (server, is_new) = self.server().await?;
        let command_of_server = command(&server)?;
        match self.send(server, &command_of_server).await {
            Err(error) if !is_new && error.is_connection_dropped() => {
                let (server, _) = self.server().await?;
                let command = command(&server)?;
                Ok(self.send(server, &command).await?)
            }
            result => Ok(result?),
        }
    }

    async fn send<T: FromRedisValue>(&self, server: Arc<LogServer>, command: &Cmd) -> RedisResult<T> {
        let mut connection = server.connection.clone();
        let mut pending = PendingRequest { connection: self, server, has_succeeded: false };
        let result = command.query_async(&mut connection).await;
        pending.has_succeeded = result.is_ok();
        result
    }

    /// Returns the connection, and whether it was opened by this call.
    async fn server(&self) -> RedisResult<(Arc<LogServer>, bool)> {
        let _opening = self.opening.lock().await;
        let current = ignore_poison(self.current.lock()).clone();
        if let Some(server) = current {
            return Ok((server, false));
        }
        let mut connection = self.client.get_multiplexed_async_connection_with_config(&connection_config()).await?;
        let info: String = cmd("INFO").arg("server").query_async(&mut connection).await?;
        let server = Arc::new(LogServer { connection, run_id: run_id(&info)? });
        *ignore_poison(self.current.lock()) = Some(server.clone());
        Ok((server, true))
    }
}

impl Drop for PendingRequest<'_> {
    fn drop(&mut self) {
        if !self.has_succeeded {
            // Others that still wait for a reply keep it open until then.
            ignore_poison(self.connection.current.lock()).take_if(|server| Arc::ptr_eq(server, &self.server));
        }
    }
}

/// Returns the settings of a connection without time limits, because the link has its own.
pub(super) fn connection_config() -> AsyncConnectionConfig {
    AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None)
}

/// Returns what identifies the process of a server, from the section `server` of its INFO.
pub(super) fn run_id(info: &str) -> RedisResult<String> {
    let run_id = info.lines().find_map(|line| line.strip_prefix("run_id:"));
    run_id
        .map(|run_id| run_id.trim().to_owned())
        .ok_or_else(|| (ErrorKind::UnexpectedReturnType, "INFO without run_id").into())
}
