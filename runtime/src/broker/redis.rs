//! The broker of several machines that share a Redis server.

mod append_script;
mod log_connection;
mod logs;
mod server_names;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use redis::{
    Client, ConnectionAddr, ErrorKind, FromRedisValue, IntoConnectionInfo, ProtocolVersion, PushInfo, PushKind,
    RedisError, RedisResult, Value, cmd, pipe,
};

use self::append_script::{AppendScript, Script};
use self::log_connection::connection_config;
use self::logs::RedisLogs;
use self::server_names::ServerNames;
use super::event_log::Destination;
use super::server_link::{Connect, Connection, ConnectionError, LogStore, Reports, ServerLink, SubscriptionChange};
use super::{Broker, BrokerLink, Channel, LinkReceiver, OpenLink, is_loopback_host};
use crate::error::Result;
use crate::panic::log_entry;
use crate::result_ext::ResultExt;

/// Connects the machines of a service through a Redis server, version 6 or newer, or a server that speaks its protocol
/// (RESP3). Requires the feature `redis`.
///
/// Each link, of one endpoint in one process, has one connection. It connects in the background, and again after the
/// connection was lost: within 2 seconds of the server's return, with delays between 25 ms and 1 s. A connection is lost if
/// the server closes it, or does not reply within 2 seconds; an idle connection is tested once per second. If the server
/// refuses one subscription, for example by its ACL, the whole link counts as lost. Histories are read and purged by a second
/// connection, which is opened when it is first needed. If it is lost, the link is not.
///
/// A message has up to 1 MiB. Up to 16,384 messages and 32 MiB wait while the link is down; what exceeds that is
/// dropped and counted in [`ClusterCounts`](crate::ClusterCounts). A message is published at most
/// once, so those under way when the connection is lost may be missing. The server's `client-output-buffer-limit pubsub`
/// must be large enough for bursts of messages, because it closes connections that exceed it (default: 32 MiB).
///
/// A channel is named `PREFIX:NAMESPACE:CHANNEL`, with `:` and `%` in the namespace written as `%3A` and `%25`. Channels
/// belong to the server, not to one of its databases. The server is a primary: what is published to a replica reaches only
/// the clients of that replica.
///
/// The events of a group with a [history](crate::guide::events#history) are kept in a stream and a hash, named
/// `PREFIX:NAMESPACE:log:{HASH}` and the same with `:state`, in the database of the URL. They expire with the history. A link needs
/// the commands `EVAL`, `EVALSHA`, `SCRIPT`, `INFO` and `DEL`, and those of the scripts, on these keys and channels. No client
/// recovers by a position from before a restart of the server, or from before another server became the primary. Redis may also begin
/// another replication history when a primary gets its first replica, or has had none for an hour; this has the same effect.
///
/// The server reads all messages. Without
/// [`Endpoint::cluster_key`](crate::Endpoint::cluster_key) it can also forge them; with it, it can still withhold them. For
/// `rediss://` URLs, depend on the crate `redis` with a feature for TLS.
///
/// # Examples
///
/// ```no_run
/// # fn f() -> portcullis::Result<()> {
/// let broker = portcullis::RedisBroker::new("redis://127.0.0.1", "chat")?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RedisBroker {
    client: Client,
    prefix: String,
    is_loopback: bool,
}

impl RedisBroker {
    /// Creates a broker at the URL of a Redis server. The prefix separates the applications that share the server: links of
    /// different prefixes receive nothing from each other. Nothing connects before an endpoint uses the broker.
    ///
    /// The server must not be part of a Redis Cluster, whose servers do not pass messages on in one order, which changes of
    /// rights rely on. A link to one does not connect, and the log says why.
    ///
    /// # Errors
    ///
    /// A fault (500) if the URL is invalid. Whether the server can be reached is not known yet.
    pub fn new(url: &str, prefix: &str) -> Result<RedisBroker> {
        let info = url.into_connection_info().fault()?;
        // Only RESP3 has subscriptions and commands on one connection.
        let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        let info = info.set_redis_settings(settings).set_tcp_settings(TcpSettings::default().set_nodelay(true));
        let is_loopback = match info.addr() {
            ConnectionAddr::Tcp(host, _) | ConnectionAddr::TcpTls { host, .. } => is_loopback_host(host),
            ConnectionAddr::Unix(_) => true,
            _ => false,
        };
        Ok(RedisBroker { client: Client::open(info).fault()?, prefix: prefix.to_owned(), is_loopback })
    }
}

impl Broker for RedisBroker {}

impl OpenLink for RedisBroker {
    fn is_loopback(&self) -> bool {
        self.is_loopback
    }

    fn open(&self, namespace: &str, receiver: Arc<dyn LinkReceiver>) -> Arc<dyn BrokerLink> {
        let names = Arc::new(ServerNames::new(&self.prefix, namespace));
        ServerLink::open(RedisConnect { client: self.client.clone(), names }, namespace, receiver)
    }
}

impl fmt::Debug for RedisBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL may contain a password.
        f.debug_struct("RedisBroker").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

/// Opens connections. The manager that the client library has is not used: after a loss it receives nothing until the next
/// command, and it does not tell whether the server accepted the subscriptions again.
struct RedisConnect {
    client: Client,
    names: Arc<ServerNames>,
}

impl Connect for RedisConnect {
    type Connection = RedisConnection;

    const BROKER: &'static str = "redis";

    async fn connect(&self, reports: &Arc<Reports>) -> Result<RedisConnection, ConnectionError> {
        let (names, push_reports) = (self.names.clone(), reports.clone());
        let config = connection_config().set_push_sender(move |push| {
            receive(push, &names, &push_reports);
            Ok::<(), ()>(())
        });
        let mut connection = self.client.get_multiplexed_async_connection_with_config(&config).await?;
        if is_in_cluster(&mut connection).await? {
            // Its servers do not pass the messages of a channel on in one order.
            return Err(
                "the server is part of a cluster, through which changes of rights cannot be acknowledged".into()
            );
        }
        let logs = Arc::new(RedisLogs::new(self.client.clone(), self.names.clone()));
        let (names, reports) = (self.names.clone(), reports.clone());
        Ok(RedisConnection { connection, names, reports, logs, append_script: None, has_refused: false })
    }
}

/// Returns whether a server is part of a cluster.
async fn is_in_cluster(connection: &mut MultiplexedConnection) -> Result<bool, RedisError> {
    // The connection has begun with this command, so its user may call it.
    let server: HashMap<String, Value> = cmd("HELLO").query_async(connection).await?;
    let mode = server.get("mode").map(String::from_redis_value_ref).transpose()?;
    Ok(mode.as_deref() == Some("cluster"))
}

/// Receives from a connection, in the task that reads its socket.
fn receive(push: PushInfo, names: &ServerNames, reports: &Reports) {
    let PushInfo { kind, data } = push;
    let mut data = data.into_iter();
    let channel = match data.next() {
        Some(Value::BulkString(name)) => names.channel(&name),
        _ => None,
    };
    match (kind, channel, data.next()) {
        (PushKind::Message, Some(channel), Some(Value::BulkString(message))) => {
            reports.receive(channel, Bytes::from(message));
        }
        (PushKind::Subscribe, Some(channel), _) => reports.confirm(channel),
        (PushKind::Disconnection, ..) => reports.lose("the server closed the connection"),
        _ => {}
    }
}

/// A connection. Its subscriptions and its commands share a socket, so that each command shows whether it still receives.
struct RedisConnection {
    connection: MultiplexedConnection,
    names: Arc<ServerNames>,
    reports: Arc<Reports>,
    logs: Arc<RedisLogs>,
    /// `None` before the first append, or if the server refuses the script.
    append_script: Option<AppendScript>,
    /// Whether the server has refused to append a message, which is logged once.
    has_refused: bool,
}

impl RedisConnection {
    /// Loads the script that appends messages, once, unless the server refuses it.
    async fn load_append_script(&mut self) -> Result<(), ConnectionError> {
        if self.append_script.is_none() {
            match AppendScript::load(&mut self.connection).await {
                Ok(script) => self.append_script = Some(script),
                Err(error) if is_refusal(&error) => self.log_refusal(&error),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn log_refusal(&mut self, error: &RedisError) {
        if !std::mem::replace(&mut self.has_refused, true) {
            log_entry!(ERROR, broker = "redis", %error, "events of groups with a history dropped: the server refused them");
        }
    }
}

/// Returns whether the server has replied, but not with what a request needs. The connection can be used further.
fn is_refusal(error: &RedisError) -> bool {
    error.code().is_some() || error.kind() == ErrorKind::UnexpectedReturnType
}

impl Connection for RedisConnection {
    /// The reply to each command is its confirmation, which is also pushed.
    async fn change_subscriptions(&mut self, changes: &[SubscriptionChange]) -> Result<(), ConnectionError> {
        let mut batch = pipe();
        for change in changes {
            let (command, channel) = match change {
                SubscriptionChange::Subscribe(channel) => ("SUBSCRIBE", *channel),
                SubscriptionChange::Unsubscribe(channel) => ("UNSUBSCRIBE", *channel),
            };
            batch.cmd(command).arg(self.names.channel_name(channel));
        }
        Ok(batch.exec_async(&mut self.connection).await?)
    }

    async fn publish(&mut self, messages: Vec<(Destination, Bytes)>) -> Result<(), ConnectionError> {
        let has_appends = messages.iter().any(|(destination, _)| matches!(destination, Destination::Log(_)));
        if has_appends {
            self.load_append_script().await?;
        }
        let mut batch = pipe();
        batch.ignore_errors();
        let mut destinations = Vec::with_capacity(messages.len());
        // The server may have forgotten it since the last batch.
        let mut script = Script::Text;
        for (destination, message) in &messages {
            match (destination, &self.append_script) {
                (Destination::Channel(channel), _) => {
                    batch.cmd("PUBLISH").arg(self.names.channel_name(*channel)).arg(&**message);
                }
                (Destination::Log(log), Some(append_script)) => {
                    batch.add_command(append_script.command(&self.names, script, log, message)?);
                    script = Script::Name;
                }
                (Destination::Log(log), None) => {
                    self.reports.overflow(Channel::History(log.partition));
                    continue;
                }
            }
            destinations.push(*destination);
        }
        if destinations.is_empty() {
            return Ok(());
        }
        let replies: Vec<RedisResult<Value>> = batch.query_async(&mut self.connection).await?;
        for (destination, reply) in destinations.into_iter().zip(replies) {
            match (destination, reply) {
                (_, Ok(_)) => {}
                (Destination::Channel(_), Err(error)) => return Err(error.into()),
                (Destination::Log(log), Err(error)) => {
                    self.log_refusal(&error);
                    self.reports.overflow(Channel::History(log.partition));
                }
            }
        }
        Ok(())
    }

    fn logs(&self) -> Arc<dyn LogStore> {
        self.logs.clone()
    }

    async fn ping(&mut self) -> Result<(), ConnectionError> {
        Ok(cmd("PING").exec_async(&mut self.connection).await?)
    }
}
