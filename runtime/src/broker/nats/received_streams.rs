//! What a reader of a history channel receives of streams: each message after its position, in the order of its log.

use std::collections::HashMap;

use async_nats::jetstream::response::Response;
use async_nats::jetstream::stream::Info;
use async_nats::{HeaderValue, Message};
use bytes::Bytes;
use serde::Deserialize;
use tokio::time::{Instant, sleep_until};

use super::logs::{NatsLogs, STREAM_TRUST};
use super::republished::{OutOfOrder, Reordering, Republished};
use crate::broker::event_log::LogPosition;
use crate::broker::server_link::ConnectionError;

/// What a reader of a channel has received of the streams.
#[derive(Default)]
pub(super) struct ReceivedStreams(HashMap<String, ReceivedStream>);

struct ReceivedStream {
    epoch: u64,
    order: Reordering<Bytes>,
    /// The last message from before the subscription, which is not passed on.
    began_after: u64,
    /// When it was last looked whether the stream is another one of its name.
    checked_at: Option<Instant>,
}

/// A page of the streams of a server.
#[derive(Deserialize)]
struct StreamPage {
    total: usize,
    streams: Option<Vec<Info>>,
}

impl NatsLogs {
    /// Returns whether the server publishes the messages of a stream again in their order.
    fn keeps_order(&self) -> bool {
        let version = self.client.server_info().version;
        let mut numbers = version.split('.').map(|number| number.parse::<u32>().unwrap_or(0));
        (numbers.next(), numbers.next()) >= (Some(2), Some(10))
    }

    /// Returns what there is of the streams when a history channel has been subscribed.
    pub(super) async fn streams_before(&self) -> Result<ReceivedStreams, ConnectionError> {
        let mut received = ReceivedStreams::default();
        if self.keeps_order() {
            return Ok(received);
        }
        let mut offset = 0;
        loop {
            let request = serde_json::json!({ "offset": offset, "subject": format!("{}log.>", self.subject_prefix) });
            let page: StreamPage = match self.jetstream.request("STREAM.LIST", &request).await? {
                Response::Ok(page) => page,
                Response::Err { error } => return Err(error.into()),
            };
            let streams = page.streams.unwrap_or_default();
            offset += streams.len();
            let is_last = streams.is_empty() || offset >= page.total;
            for stream in streams {
                let (epoch, began_after) = (self.epoch(&stream), stream.state.last_sequence);
                let order = Reordering::new(false, began_after);
                received.0.insert(stream.config.name, ReceivedStream { epoch, order, began_after, checked_at: None });
            }
            if is_last {
                return Ok(received);
            }
        }
    }

    /// Receives a message of a history channel. Returns what is passed on, each message after its position.
    ///
    /// # Errors
    ///
    /// If a message is missing.
    pub(super) async fn receive(
        &self,
        message: &Message,
        received: &mut ReceivedStreams,
    ) -> (Vec<Bytes>, Result<(), ConnectionError>) {
        let header = |name| message.headers.as_ref()?.get(name).map(HeaderValue::as_str);
        let Some(stream) = header("Nats-Stream") else {
            // Not of a stream, so it has no position, and its receiver refuses it.
            return (vec![Bytes::copy_from_slice(&message.payload)], Ok(()));
        };
        let number = |name| header(name).and_then(|number| number.parse().ok());
        let Some((sequence, previous)) = number("Nats-Sequence").zip(number("Nats-Last-Sequence")) else {
            return (Vec::new(), Err("a message of a stream has no sequence number".into()));
        };
        // A copy, because the payload keeps the whole read buffer.
        let mut message = Republished { sequence, previous, message: Bytes::copy_from_slice(&message.payload) };
        let mut passed = Vec::new();
        if let Some(known) = received.0.get_mut(stream) {
            let (ready, result) = known.order.receive(message, Instant::now());
            passed.extend(known.address(ready));
            match result {
                Ok(()) => return (passed, Ok(())),
                Err(OutOfOrder(rejected)) => message = rejected,
            }
        }
        let began_after = received.0.get(stream).map_or(0, |known| known.began_after);
        let is_from_before = message.sequence <= began_after;
        if let Some(known) = received.0.get_mut(stream) {
            let now = Instant::now();
            if known.checked_at.replace(now).is_some_and(|at| now < at + STREAM_TRUST) && is_from_before {
                return (passed, Ok(()));
            }
        }
        // The stream is not known yet, or another one of its name.
        let epoch = match self.jetstream.get_stream(stream).await {
            Ok(stream) => self.epoch(stream.cached_info()),
            Err(error) => return (passed, Err(error.into())),
        };
        if received.0.get(stream).is_some_and(|known| known.epoch == epoch) {
            let too_late = || Err("a message of a stream came too late".into());
            return (passed, if is_from_before { Ok(()) } else { too_late() });
        }
        let mut known =
            ReceivedStream { epoch, order: Reordering::new(self.keeps_order(), 0), began_after: 0, checked_at: None };
        let (ready, _) = known.order.receive(message, Instant::now());
        passed.extend(known.address(ready));
        received.0.insert(stream.to_owned(), known);
        (passed, Ok(()))
    }
}

impl ReceivedStream {
    fn address(&self, messages: Vec<Republished<Bytes>>) -> impl Iterator<Item = Bytes> {
        let epoch = self.epoch;
        messages
            .into_iter()
            .map(move |Republished { sequence, message, .. }| LogPosition { epoch, sequence }.address(&message))
    }
}

impl ReceivedStreams {
    /// Waits until messages have waited for others long enough. Returns them, each after its position.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost if the future is dropped.
    pub(super) async fn overdue(&mut self) -> Vec<Bytes> {
        let Some(deadline) = self.0.values().filter_map(|known| known.order.deadline()).min() else {
            return std::future::pending().await;
        };
        sleep_until(deadline).await;
        let now = Instant::now();
        self.0
            .values_mut()
            .flat_map(|known| {
                let ready = known.order.pass_over(now);
                known.address(ready)
            })
            .collect()
    }
}
