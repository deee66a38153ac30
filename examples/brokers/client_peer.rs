//! One side of a conversation by the broker's own client.

use std::error::Error;

use async_nats::{Client as NatsClient, Subscriber};
use futures_util::StreamExt as _;
use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use redis::{AsyncConnectionConfig, IntoConnectionInfo as _, ProtocolVersion, PushInfo, PushKind, Value, pipe};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::{Direction, Note};

pub(crate) struct ClientPeer {
    prefix: String,
    client: Client,
}

enum Client {
    Redis { connection: MultiplexedConnection, received: UnboundedReceiver<Vec<u8>> },
    Nats { client: NatsClient, subscriber: Subscriber },
}

fn channel(prefix: &str, direction: Direction) -> String {
    format!("{}.{direction:?}", prefix.replace(' ', "-"))
}

impl ClientPeer {
    pub(crate) async fn connect(url: &str, prefix: &str, receives: Direction) -> Result<ClientPeer, Box<dyn Error>> {
        let receives = channel(prefix, receives);
        let client = if url.starts_with("redis") { redis(url, receives).await? } else { nats(url, receives).await? };
        Ok(ClientPeer { prefix: prefix.to_owned(), client })
    }

    pub(crate) async fn send(&mut self, direction: Direction, notes: Vec<Note>) -> Result<(), Box<dyn Error>> {
        let channel = channel(&self.prefix, direction);
        match &mut self.client {
            Client::Redis { connection, .. } => {
                let mut batch = pipe();
                for note in notes {
                    batch.cmd("PUBLISH").arg(&channel).arg(serde_json::to_vec(&note)?);
                }
                batch.exec_async(connection).await?;
            }
            Client::Nats { client, .. } => {
                for note in notes {
                    client.publish(channel.clone(), serde_json::to_vec(&note)?.into()).await?;
                }
            }
        }
        Ok(())
    }

    pub(crate) async fn receive(&mut self) -> Result<Note, Box<dyn Error>> {
        let closed = "the broker has closed the connection";
        match &mut self.client {
            Client::Redis { received, .. } => Ok(serde_json::from_slice(&received.recv().await.ok_or(closed)?)?),
            Client::Nats { subscriber, .. } => {
                Ok(serde_json::from_slice(&subscriber.next().await.ok_or(closed)?.payload)?)
            }
        }
    }
}

async fn redis(url: &str, channel: String) -> Result<Client, Box<dyn Error>> {
    let info = url.into_connection_info()?;
    let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    let info = info.set_redis_settings(settings).set_tcp_settings(TcpSettings::default().set_nodelay(true));
    let (sender, received) = unbounded_channel();
    let config = AsyncConnectionConfig::new().set_response_timeout(None).set_push_sender(move |push: PushInfo| {
        if let (PushKind::Message, Some(Value::BulkString(message))) = (push.kind, push.data.into_iter().nth(1)) {
            // The receiver ends with the process.
            let _ = sender.send(message);
        }
        Ok::<(), ()>(())
    });
    let client = redis::Client::open(info)?;
    let mut connection = client.get_multiplexed_async_connection_with_config(&config).await?;
    redis::cmd("SUBSCRIBE").arg(channel).exec_async(&mut connection).await?;
    Ok(Client::Redis { connection, received })
}

async fn nats(url: &str, channel: String) -> Result<Client, Box<dyn Error>> {
    let client = async_nats::connect(url).await?;
    let subscriber = client.subscribe(channel).await?;
    // The server has the subscription when this has returned.
    client.flush().await?;
    Ok(Client::Nats { client, subscriber })
}
