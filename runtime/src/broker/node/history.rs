//! Events of groups with a history: they are appended to a log of the broker, and delivered when they come back with their
//! position.

use std::sync::atomic::Ordering;

use super::Node;
use crate::broker::cluster_key::ClusterKey;
use crate::broker::event_log::{LogContents, LogId, LogPosition};
use crate::broker::message::open;
use crate::broker::{Channel, EventMessage, broker_unavailable};
use crate::error::Result;
use crate::panic::log_entry;

impl Node {
    pub(crate) fn cluster_key(&self) -> Option<&ClusterKey> {
        self.key.as_ref()
    }

    /// Appends an event to the log of its group. Returns false if it was dropped: the link is down, or too many messages wait.
    pub(crate) fn append_event(&self, log: &LogId, message: &EventMessage<'_>) -> bool {
        if !self.is_connected() {
            let count = self.counters.dropped.fetch_add(1, Ordering::Relaxed) + 1;
            if count.is_power_of_two() {
                log_entry!(
                    WARN,
                    namespace = self.namespace,
                    count,
                    "event of a group with a history dropped: the broker is not connected"
                );
            }
            return false;
        }
        let channel = Channel::History(log.partition);
        let is_queued = self.number(channel, &message.encode(), |_| (), |message| self.link.append(log, message));
        if !is_queued {
            self.report_dropped(channel);
        }
        is_queued
    }

    /// Reads the events of a log after a position, each encoded as an [`EventMessage`], or only the end of the log.
    ///
    /// # Errors
    ///
    /// 503 if the broker does not reply, or if the channel of the log is not subscribed.
    pub(crate) async fn read_log(&self, log: LogId, after: Option<LogPosition>) -> Result<LogContents> {
        let channel = Channel::History(log.partition);
        // Else an event between what is read and what is received would be missed.
        if !self.state().subscriptions.is_confirmed(channel.index()) {
            return Err(broker_unavailable());
        }
        let name = &self.channel_names[channel.index()];
        let LogContents { end, mut messages } = self.link.read_log(log, after).await?;
        for logged in messages.iter_mut().flatten() {
            match open(self.key.as_ref(), name, std::mem::take(&mut logged.message)) {
                Ok(opened) => logged.message = opened.payload,
                Err(error) => {
                    log_entry!(WARN, channel = name, ?error, "history not replayed: a message of it cannot be read");
                    return Ok(LogContents { end, messages: None });
                }
            }
        }
        Ok(LogContents { end, messages })
    }

    /// Forgets the events of a log.
    ///
    /// # Errors
    ///
    /// 503 if the broker does not reply.
    pub(crate) async fn purge_log(&self, log: LogId) -> Result<()> {
        self.link.purge_log(log).await
    }
}
