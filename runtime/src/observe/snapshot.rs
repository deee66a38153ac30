//! A snapshot of what an endpoint has done and does.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

use super::{ActionCounts, EventCounters};
use crate::broker::{MachineId, Node, NodeCounters};

/// What an endpoint with its clones has done since it was created, and does now. Returned by
/// [`Endpoint::snapshot`](crate::Endpoint::snapshot) and [`SnapshotHandle::snapshot`](crate::SnapshotHandle::snapshot).
///
/// It consists of counters that only rise, and of current numbers. They are read one after the other, without stopping the
/// endpoint: while connections come and go, they may differ by what has happened meanwhile. If nothing happens, they add up:
/// `handshakes.accepted == connections.open + connections.ended`, and `actions.started` is the sum of `in_progress` and of
/// all that have ended.
///
/// Serialized, the names are those of the fields. [The chapter](crate::guide::observability) has an example.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Snapshot {
    /// The name of the consumer.
    pub consumer: &'static str,
    /// Whether the endpoint accepts connections.
    pub state: EndpointState,
    /// Handshakes.
    pub handshakes: HandshakeCounts,
    /// Connections.
    pub connections: ConnectionCounts,
    /// Messages that are not evaluated.
    pub messages: MessageCounts,
    /// Actions.
    pub actions: ActionCounts,
    /// Groups.
    pub groups: GroupCounts,
    /// Events.
    pub events: EventCounters,
    /// Loads from the sources of [grants](crate::Endpoint::grants). A cache that several endpoints share counts for each.
    pub grant_loads: GrantLoads,
    /// Other machines. `None` without a [broker](crate::Endpoint::broker).
    pub cluster: Option<ClusterCounts>,
    /// The [observer](crate::Observer).
    pub observer: ObserverCounts,
    /// The recorder of the feature `metrics`.
    pub recorder: RecorderCounts,
}

/// Whether an endpoint accepts connections. A [drain](crate::DrainHandle) goes through these states once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EndpointState {
    /// No drain has started.
    Ready,
    /// The [notice](crate::Drain::notice) of a drain: the endpoint is not ready, and still accepts connections.
    Notice,
    /// The endpoint rejects handshakes, and closes its connections or has closed them.
    Draining,
}

/// The link of an endpoint to the endpoints of other machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ClusterCounts {
    /// The id of this machine.
    pub machine: MachineId,
    /// Whether the broker is connected.
    pub is_connected: bool,
    /// The number of other machines that were heard of in the last eleven seconds, and have not departed. While the link is
    /// down, that of the time before.
    pub other_machines: u64,
    /// Times that the link to the broker was lost.
    pub link_losses: u64,
    /// Messages of other machines.
    pub received_messages: u64,
    /// Messages that were not sent, because too many waited or because they had more than 1 MiB.
    pub dropped_messages: u64,
    /// Messages that could not be read, or were not authenticated.
    pub unreadable_messages: u64,
    /// Events of other machines that were not delivered because their type is unknown here or differs, or because they could
    /// not be decoded; and messages about users of groups whose type differs here.
    pub unknown_events: u64,
    /// Times that events of other machines may have been lost, or were not delivered because their type is unknown.
    pub gaps: u64,
}

impl ClusterCounts {
    /// Returns the counts of a machine.
    pub(crate) fn of(node: &Node) -> ClusterCounts {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let NodeCounters { received, unreadable, unknown, gaps, dropped, losses } = &node.counters;
        ClusterCounts {
            machine: node.id(),
            is_connected: node.is_connected(),
            other_machines: node.peer_count() as u64,
            link_losses: read(losses),
            received_messages: read(received),
            dropped_messages: read(dropped),
            unreadable_messages: read(unreadable),
            unknown_events: read(unknown),
            gaps: read(gaps),
        }
    }
}

/// Handshakes of an endpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct HandshakeCounts {
    /// Handshakes whose checks have not ended.
    pub in_progress: u64,
    /// Handshakes that were accepted: each has become a connection.
    pub accepted: u64,
    /// Handshakes that the client has abandoned before their checks had ended.
    pub abandoned: u64,
    /// Handshakes that were rejected, by the status of the response.
    pub rejected: BTreeMap<u16, u64>,
}

/// Connections of an endpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ConnectionCounts {
    /// Connections from the acceptance of their handshake until `#[disconnect]` has run and their socket is closed.
    pub open: u64,
    /// Those of them that have a user.
    pub authenticated: u64,
    /// Those of them that have none, or whose `#[connect]` has not ended.
    pub anonymous: u64,
    /// Connections that have ended: the sum of the numbers below.
    pub ended: u64,
    /// Connections that the client has closed, or that were lost.
    pub ended_by_peer: u64,
    /// Connections that have ended with their runtime, or before the HTTP server had upgraded them.
    pub aborted: u64,
    /// Connections that the server has closed, by close code.
    pub closed: BTreeMap<u16, u64>,
}

/// Messages of an endpoint that are not evaluated, so that [`ActionCounts`] does not count them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MessageCounts {
    /// Messages that were refused with 429 because their connection has exceeded
    /// [`Limits::messages_per_connection`](crate::Limits::messages_per_connection).
    pub refused: u64,
}

/// Groups of an endpoint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct GroupCounts {
    /// Groups that have members.
    pub groups: u64,
    /// Memberships: a connection counts once per group that it is in.
    pub memberships: u64,
}

/// Loads from a source of grants.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct GrantLoads {
    /// Calls of [`GrantSource::load`](crate::GrantSource::load).
    pub user_loads: u64,
    /// Calls of [`GrantSource::overwrites`](crate::GrantSource::overwrites), each for one or more objects.
    pub object_loads: u64,
    /// Calls of either that failed: they returned an error or a wrong number of overwrites, or panicked.
    pub failed_loads: u64,
}

/// The observer of an endpoint.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ObserverCounts {
    /// Observations that were dropped because the queue was full: the observer is too slow, or hangs.
    pub dropped: u64,
    /// Calls of the observer that have panicked.
    pub panicked: u64,
}

/// The recorder of the feature `metrics`, as far as one endpoint calls it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RecorderCounts {
    /// Calls of the recorder that have panicked.
    pub panicked: u64,
}
