//! The task that receives from one channel.

use std::sync::Arc;
use std::time::Duration;

use async_nats::{Message, Subscriber};
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::logs::NatsLogs;
use super::received_streams::ReceivedStreams;
use crate::broker::Channel;
use crate::broker::server_link::Reports;

/// How long the subscription of a history channel waits for the list of streams.
const LIST_TIMEOUT: Duration = Duration::from_secs(1);

/// A message that a link sends to a channel that it subscribes to. The links of other machines discard it.
pub(super) struct Probe {
    /// The subject for replies. Other messages have none.
    pub(super) inbox: String,
    pub(super) payload: Bytes,
    pub(super) confirmed: Option<oneshot::Sender<()>>,
}

/// What arrives, or is due.
enum Input {
    Message(Message),
    /// Messages of a history that wait no longer, each after its position.
    Overdue(Vec<Bytes>),
    Closed,
}

async fn next_input(subscriber: &mut Subscriber, streams: &mut ReceivedStreams) -> Input {
    tokio::select! {
        message = subscriber.next() => message.map_or(Input::Closed, Input::Message),
        messages = streams.overdue() => Input::Overdue(messages),
    }
}

/// Reports what is received, until the client closes the connection.
pub(super) async fn read(
    mut subscriber: Subscriber,
    channel: Channel,
    (reports, logs): (Arc<Reports>, Arc<NatsLogs>),
    mut probe: Probe,
) {
    let is_history = matches!(channel, Channel::History(_));
    let mut streams = ReceivedStreams::default();
    loop {
        let message = match next_input(&mut subscriber, &mut streams).await {
            Input::Message(message) => message,
            Input::Overdue(messages) => {
                for message in messages {
                    reports.receive(channel, message);
                }
                continue;
            }
            Input::Closed => break,
        };
        if let Some(reply) = &message.reply {
            if **reply == *probe.inbox
                && message.payload == probe.payload
                && let Some(confirmed) = probe.confirmed.take()
            {
                // Without the list, the first events may wait for those from before the subscription.
                if is_history && let Ok(Ok(before)) = timeout(LIST_TIMEOUT, logs.streams_before()).await {
                    streams = before;
                }
                reports.confirm(channel);
                // The connection may be closing.
                let _ = confirmed.send(());
            }
        } else if is_history {
            let (messages, result) = logs.receive(&message, &mut streams).await;
            for message in messages {
                reports.receive(channel, message);
            }
            if result.is_err() {
                reports.overflow(channel);
            }
        } else {
            // A copy, because the payload keeps the whole read buffer.
            reports.receive(channel, Bytes::copy_from_slice(&message.payload));
        }
    }
    reports.lose("the client closed the connection");
}
