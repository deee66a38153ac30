//! The broker of several machines that share a NATS server.

mod logs;
mod reader;
mod received_streams;
mod republished;

use std::collections::HashMap;
use std::fmt;
use std::fmt::Write as _;
use std::sync::{Arc, Weak};
use std::time::Duration;

use async_nats::{Client, ConnectOptions, Event, PublishErrorKind, ServerAddr, Subscriber};
use bytes::Bytes;
use futures_util::StreamExt;
use percent_encoding::percent_decode_str;
use tokio::sync::oneshot;
use tokio_util::task::AbortOnDropHandle;

use self::logs::NatsLogs;
use self::reader::{Probe, read};
use super::event_log::Destination;
use super::server_link::{Connect, Connection, ConnectionError, LogStore, Reports, ServerLink, SubscriptionChange};
use super::{Broker, BrokerLink, Channel, LinkReceiver, OpenLink, Partition, is_loopback_host};
use crate::error::{Error, Result};
use crate::panic::log_entry;
use crate::result_ext::ResultExt;

/// The number of commands that may wait in the client library. One batch of messages is under way at a time.
const MAX_COMMANDS: usize = 256;

/// How often the client library pings a silent server. It gives up at the third ping.
const PING_INTERVAL: Duration = Duration::from_secs(1);

/// The number of messages of a channel that may wait in the client library, for the task that moves them to the inbox.
const MAX_CHANNEL_MESSAGES: usize = 16_384;

/// Connects the machines of a service through a NATS server. Requires the feature `nats`. `JetStream` is needed only for groups
/// with a [history](crate::guide::events#history).
///
/// Each link, of one endpoint in one process, has one connection. It connects in the background, and again after the
/// connection was lost: within 2 seconds of the server's return, with delays between 25 ms and 1 s. A connection is lost if
/// the server closes it or reports an error, for example that a subject is not permitted, or if it does not reply within
/// 2 seconds; it is tested once per second.
///
/// A message has up to 1 MiB, which is also the default `max_payload` of the server. Up to 16,384 messages and
/// 32 MiB wait while the link is down; what exceeds that is dropped and counted in [`ClusterCounts`](crate::ClusterCounts).
/// A message is published at most once, so those under way when the connection is lost may be missing.
///
/// Subjects are named `PREFIX.NAMESPACE.CHANNEL`. In the prefix and the namespace, each byte other than an ASCII letter, a
/// digit, `-` or `_` is written as `=` and two hexadecimal digits; empty ones are written as `=`. A link also publishes to
/// an inbox of its own and subscribes to it (`_INBOX.>`).
///
/// The events of groups with a history are kept in streams, one per namespace and bounds, named
/// `PREFIX+NAMESPACE+EVENTS-MILLISECONDS` and created when they are first used: in files, one subject per group
/// (`PREFIX.NAMESPACE.log.>`), and one for marks of positions (`PREFIX.NAMESPACE.mark.>`); the server publishes the events
/// again on `PREFIX.NAMESPACE.history.>`. A link needs the permissions for these subjects and for the `$JS.API` requests that
/// list, create, read and purge streams and their consumers. The server must have version 2.9 or newer. If it refuses a stream,
/// events are dropped, an error is logged once per connection, and [`#[gap]`](macro@crate::gap) runs. No client recovers by a
/// position from before a restart of the server. Streams with bounds that no group has any more are not deleted.
///
/// Before version 2.10, the events of a group that several machines publish may arrive out of order. Each machine restores the
/// order by holding an event for at most two seconds until the one before it arrives.
///
/// The server reads all messages. Without [`Endpoint::cluster_key`](crate::Endpoint::cluster_key) it can also forge them;
/// with it, it can still withhold them. The client library logs failed attempts under the target `async_nats`. For `tls://`
/// URLs, depend on the crate `async-nats` with the feature `ring` or `aws-lc-rs`.
///
/// # Examples
///
/// ```no_run
/// # fn f() -> portcullis::Result<()> {
/// let broker = portcullis::NatsBroker::new("nats://127.0.0.1", "chat")?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct NatsBroker {
    server: ServerAddr,
    prefix: String,
}

impl NatsBroker {
    /// Creates a broker at the URL of a NATS server. The port is 4222 unless the URL has one. The URL may have credentials:
    /// `nats://USER:PASSWORD@HOST` or `nats://TOKEN@HOST`. The prefix separates the applications that share the server:
    /// links of different prefixes receive nothing from each other. Nothing connects before an endpoint uses the broker.
    ///
    /// The server must not be part of a cluster, whose servers do not pass messages on in one order, which changes of rights
    /// rely on. A link to one does not connect, and the log says why.
    ///
    /// # Errors
    ///
    /// A fault (500) if the URL is invalid. Whether the server can be reached is not known yet.
    pub fn new(url: &str, prefix: &str) -> Result<NatsBroker> {
        Ok(NatsBroker { server: parse_url(url)?, prefix: prefix.to_owned() })
    }
}

fn parse_url(url: &str) -> Result<ServerAddr> {
    let server: ServerAddr = url.trim().parse().fault()?;
    if server.host().is_empty() || server.host().contains(',') || server.is_websocket() {
        // Not with the URL, which may contain a password.
        return Err(Error::internal("the URL of a NATS server is not `nats://HOST` or `tls://HOST`"));
    }
    Ok(server)
}

impl Broker for NatsBroker {}

impl OpenLink for NatsBroker {
    fn is_loopback(&self) -> bool {
        is_loopback_host(self.server.host())
    }

    fn open(&self, namespace: &str, receiver: Arc<dyn LinkReceiver>) -> Arc<dyn BrokerLink> {
        let subject_prefix = format!("{}.{}.", subject_token(&self.prefix), subject_token(namespace));
        ServerLink::open(NatsConnect { server: self.server.clone(), subject_prefix }, namespace, receiver)
    }
}

impl fmt::Debug for NatsBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL may contain a password.
        f.debug_struct("NatsBroker").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

/// Encodes a name as one token of a subject. Different names have different tokens.
fn subject_token(name: &str) -> String {
    if name.is_empty() {
        return "=".to_owned();
    }
    let mut token = String::new();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => token.push(char::from(byte)),
            // Writing to a string does not fail.
            _ => _ = write!(token, "={byte:02X}"),
        }
    }
    token
}

/// Opens connections. The client library could connect again by itself. Then it would do so for links that were dropped,
/// until the server is back, and a confirmation of an old connection could not be told from one of the next.
struct NatsConnect {
    server: ServerAddr,
    /// What all subjects of the link start with.
    subject_prefix: String,
}

impl Connect for NatsConnect {
    type Connection = NatsConnection;

    const BROKER: &'static str = "nats";

    async fn connect(&self, reports: &Arc<Reports>) -> Result<NatsConnection, ConnectionError> {
        // The task of the client library that calls it may outlive the link.
        let weak_reports = Arc::downgrade(reports);
        let options = authentication(&self.server)
            // Counts the first attempt too. Zero is not a bound.
            .max_reconnects(1)
            .ignore_discovered_servers()
            // The supervisor notices earlier, but a connection to which nothing can be written ends by this only.
            .ping_interval(PING_INTERVAL)
            .client_capacity(MAX_COMMANDS)
            .subscription_capacity(MAX_CHANNEL_MESSAGES)
            .event_callback(move |event| {
                receive_event(&event, &weak_reports);
                std::future::ready(())
            });
        let client = options.connect(&self.server).await?;
        if client.server_info().cluster.is_some() {
            // Its servers do not pass the messages of a subject on in one order.
            return Err(
                "the server is part of a cluster, through which changes of rights cannot be acknowledged".into()
            );
        }
        let inbox = client.new_inbox();
        let echoes = client.subscribe(inbox.clone()).await?;
        let logs = Arc::new(NatsLogs::new(client.clone(), self.subject_prefix.clone()));
        Ok(NatsConnection {
            client,
            logs,
            has_refused: false,
            subject_prefix: self.subject_prefix.clone(),
            reports: reports.clone(),
            inbox,
            echoes,
            echo_count: 0,
            readers: HashMap::new(),
        })
    }
}

/// The options with the credentials of the URL, which the client library does not use by itself.
fn authentication(server: &ServerAddr) -> ConnectOptions {
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let options = ConnectOptions::new();
    match server.username().map(|user| (user, server.password())) {
        Some((user, Some(password))) => options.user_and_password(decode(user), decode(password)),
        Some((token, None)) => options.token(decode(token)),
        None => options,
    }
}

fn receive_event(event: &Event, reports: &Weak<Reports>) {
    let Some(reports) = reports.upgrade() else { return };
    match event {
        Event::Disconnected | Event::Closed => reports.lose("the server closed the connection"),
        Event::ServerError(error) => reports.lose(error.to_string()),
        // The event does not tell which channel it is.
        Event::SlowConsumer(_) => reports.overflow_all(),
        Event::Connected | Event::Draining | Event::LameDuckMode | Event::ClientError(_) => {}
    }
}

/// A connection.
struct NatsConnection {
    client: Client,
    subject_prefix: String,
    reports: Arc<Reports>,
    logs: Arc<NatsLogs>,
    /// Whether the server has refused to append a message, which is logged once.
    has_refused: bool,
    /// The subject of messages to this connection itself.
    inbox: String,
    echoes: Subscriber,
    echo_count: u64,
    /// The tasks that receive from the subscribed channels.
    readers: HashMap<Channel, AbortOnDropHandle<()>>,
}

impl NatsConnection {
    /// Returns the subject by which messages are published on a channel.
    fn subject(&self, channel: Channel) -> String {
        match channel {
            Channel::History(partition) => self.history_subject(partition, "-"),
            channel => format!("{}{channel}", self.subject_prefix),
        }
    }

    /// Returns the subject by which a channel is subscribed.
    fn subscribed_subject(&self, channel: Channel) -> String {
        match channel {
            Channel::History(partition) => self.history_subject(partition, "*"),
            channel => self.subject(channel),
        }
    }

    /// Returns a subject of the history channel of a partition. Its last token is that of a log, from the streams.
    fn history_subject(&self, partition: Partition, last: &str) -> String {
        format!("{}history.{}.{last}", self.subject_prefix, Channel::Partition(partition))
    }

    fn log_refusal(&mut self, error: &ConnectionError) {
        if !std::mem::replace(&mut self.has_refused, true) {
            log_entry!(
                ERROR,
                broker = "nats",
                %error,
                "events of groups with a history dropped: the server refused their stream; enable JetStream, and grant `$JS.API`"
            );
        }
    }

    /// Sends a message to this connection and waits for it. The server processes what a connection sends in order, so
    /// everything that was sent before has then taken effect. (To flush the client only writes to the socket.)
    async fn echo(&mut self) -> Result<(), ConnectionError> {
        self.echo_count += 1;
        let expected = self.echo_count.to_be_bytes();
        self.client.publish(self.inbox.clone(), Bytes::copy_from_slice(&expected)).await?;
        loop {
            match self.echoes.next().await {
                Some(echo) if *echo.payload == expected => return Ok(()),
                Some(_) => {}
                None => return Err("the client closed the connection".into()),
            }
        }
    }

    /// Subscribes to a channel. The returned receiver completes when a message to itself has shown that the server has
    /// accepted the subscription: the client library reports a refusal in another task, and maybe later than any reply.
    async fn subscribe(&mut self, channel: Channel) -> Result<oneshot::Receiver<()>, ConnectionError> {
        self.echo_count += 1;
        let probe = Bytes::copy_from_slice(&self.echo_count.to_be_bytes());
        let subscriber = self.client.subscribe(self.subscribed_subject(channel)).await?;
        let (sender, receiver) = oneshot::channel();
        let expected = Probe { inbox: self.inbox.clone(), payload: probe.clone(), confirmed: Some(sender) };
        let reader = tokio::spawn(read(subscriber, channel, (self.reports.clone(), self.logs.clone()), expected));
        self.readers.insert(channel, AbortOnDropHandle::new(reader));
        self.client.publish_with_reply(self.subject(channel), self.inbox.clone(), probe).await?;
        Ok(receiver)
    }
}

impl Connection for NatsConnection {
    async fn change_subscriptions(&mut self, changes: &[SubscriptionChange]) -> Result<(), ConnectionError> {
        let mut confirmations = Vec::new();
        for change in changes {
            match *change {
                SubscriptionChange::Subscribe(channel) if !self.readers.contains_key(&channel) => {
                    confirmations.push(self.subscribe(channel).await?);
                }
                // Was subscribed all the time.
                SubscriptionChange::Subscribe(channel) => self.reports.confirm(channel),
                SubscriptionChange::Unsubscribe(channel) => {
                    if let Some(reader) = self.readers.remove(&channel) {
                        reader.abort();
                        // After this, it receives no message that the reader of the next subscription also receives. The
                        // subscriber unsubscribes when it is dropped.
                        let _ = reader.await;
                    }
                }
            }
        }
        for confirmation in confirmations {
            confirmation.await?;
        }
        Ok(())
    }

    async fn publish(&mut self, messages: Vec<(Destination, Bytes)>) -> Result<(), ConnectionError> {
        for (destination, message) in messages {
            let subject = match destination {
                Destination::Channel(channel) => self.subject(channel),
                Destination::Log(log) => match self.logs.append_subject(&log).await {
                    Ok(subject) => subject,
                    Err(error) => {
                        self.log_refusal(&error);
                        self.reports.overflow(Channel::History(log.partition));
                        continue;
                    }
                },
            };
            let size = message.len();
            match self.client.publish(subject, message).await {
                Ok(()) => {}
                Err(error) if error.kind() == PublishErrorKind::MaxPayloadExceeded => {
                    log_entry!(
                        ERROR,
                        broker = "nats",
                        size,
                        "message dropped: it exceeds the max_payload of the server"
                    );
                    if let Destination::Log(log) = destination {
                        self.reports.overflow(Channel::History(log.partition));
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(self.client.flush().await?)
    }

    fn logs(&self) -> Arc<dyn LogStore> {
        self.logs.clone()
    }

    async fn ping(&mut self) -> Result<(), ConnectionError> {
        self.echo().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subject_token_is_valid_and_tells_names_apart() {
        assert_eq!(subject_token("app::Chat"), "app=3A=3AChat");
        assert_eq!(subject_token("a.b c-d_E9"), "a=2Eb=20c-d_E9");
        let names = ["", "=", "==", "=3D", "a", "A", "a=", "\u{e9}", "*", ">", "\r\n", "\0"];
        let mut tokens = names.map(subject_token).to_vec();
        assert!(tokens.iter().all(|token| token.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'=')));
        tokens.sort_unstable();
        tokens.dedup();
        assert_eq!(tokens.len(), names.len());
    }
}
