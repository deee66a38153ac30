//! Running `#[gap]` after events of other machines may have been lost, and what it can do: find the groups and users that are
//! concerned, and publish to them on this machine.

use std::any::Any;
use std::mem;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::event::Emits;
use super::fanout::FanoutCounts;
use super::group::{Carries, Group};
use super::outgoing_event::OutgoingEvent;
use super::remote_event::GroupMembers;
use crate::broker::PartitionSet;
use crate::consumer::Consumer;
use crate::context::Gap;
use crate::log::Cause;
use crate::panic::{contain_future, log_entry};
use crate::session::backpressure::{HANDLE_PACER, Pacer};
use crate::session::flusher::notify_now;
use crate::session::session::{Session, SessionRegistry};
use crate::sync::{RuntimeId, ignore_poison};
use crate::time::deadline;

/// The pause after a call of the hook. What is lost meanwhile is one gap. It doubles with each call, for example while two versions
/// of the service share a broker, until there was no gap for the longest pause.
const MIN_PAUSE: Duration = Duration::from_secs(1);
const MAX_PAUSE: Duration = Duration::from_mins(1);

/// The gaps of an endpoint that the hook has not handled yet.
#[derive(Default)]
struct PendingGaps(Mutex<GapState>);

#[derive(Default)]
struct GapState {
    partitions: PartitionSet,
    /// Whether a task runs the hook.
    is_running: bool,
    /// The pause after the last call.
    pause: Duration,
    /// Since when there was no gap.
    quiet_since: Option<Instant>,
}

impl PendingGaps {
    /// Adds a gap. Returns whether a task has to be started that runs the hook.
    fn add(&self, partitions: PartitionSet) -> bool {
        let mut state = ignore_poison(self.0.lock());
        state.partitions |= partitions;
        !state.partitions.is_empty() && !mem::replace(&mut state.is_running, true)
    }

    /// Returns the gaps that were added since, and the pause after the call that handles them. If there are none, the task counts
    /// as ended.
    fn take(&self) -> Option<(PartitionSet, Duration)> {
        let mut state = ignore_poison(self.0.lock());
        let partitions = mem::take(&mut state.partitions);
        state.is_running = !partitions.is_empty();
        if !state.is_running {
            state.quiet_since = Some(Instant::now());
            return None;
        }
        if state.quiet_since.take().is_some_and(|since| since.elapsed() >= MAX_PAUSE) {
            state.pause = Duration::ZERO;
        }
        state.pause = (state.pause * 2).clamp(MIN_PAUSE, MAX_PAUSE);
        Some((partitions, state.pause))
    }

    /// Records that the task was dropped before it had handled these partitions.
    fn stop(&self, partitions: PartitionSet) {
        let mut state = ignore_poison(self.0.lock());
        state.partitions |= partitions;
        state.is_running = false;
    }
}

/// Where events may have been lost, as the hook gets it.
struct Loss<C: Consumer> {
    registry: Arc<SessionRegistry<C>>,
    partitions: PartitionSet,
    /// Holds the hook while readers have had no chance to run.
    pacer: Arc<Pacer>,
}

/// The task that runs the hook. However it ends, another one can start.
struct HookTask<C: Consumer> {
    registry: Weak<SessionRegistry<C>>,
    gaps: Arc<PendingGaps>,
    /// The partitions that the hook is handling.
    partitions: PartitionSet,
    runtime: RuntimeId,
    has_ended: bool,
    /// Whether it was started because the runtime of another one was shut down.
    is_restart: bool,
}

impl<C: Consumer> HookTask<C> {
    /// Returns the partitions to handle next, and the pause after that. Returns `None` if no gap is pending: the task ends.
    fn next(&mut self) -> Option<(PartitionSet, Duration)> {
        let next = self.gaps.take();
        self.has_ended = next.is_none();
        self.partitions = next.map(|(partitions, _)| partitions).unwrap_or_default();
        next
    }
}

impl<C: Consumer> Drop for HookTask<C> {
    fn drop(&mut self) {
        if self.has_ended {
            return;
        }
        self.gaps.stop(self.partitions);
        let Some(registry) = self.registry.upgrade().filter(|_| !self.is_restart) else { return };
        // If the task's runtime was shut down, there may be connections on another one. Once, because that one may be shut down
        // too; then the next gap starts a task.
        let other = registry.sessions().into_iter().find(|session| session.runtime.id() != self.runtime);
        if let Some(session) = other {
            registry.start_hook(&session, PartitionSet::default(), true);
        }
    }
}

impl<C: Consumer> SessionRegistry<C> {
    /// Runs the hook for a gap, or when the one that runs has ended. Without a connection nothing is concerned.
    pub(super) fn run_gap_hook(self: &Arc<Self>, partitions: PartitionSet) {
        if C::HANDLES_GAPS
            && let Some(session) = self.any_session()
        {
            self.start_hook(&session, partitions, false);
        }
    }

    fn start_hook(self: &Arc<Self>, session: &Session<C>, partitions: PartitionSet, is_restart: bool) {
        let gaps: Arc<PendingGaps> = self.attachment();
        if gaps.add(partitions) {
            let (registry, runtime) = (Arc::downgrade(self), session.runtime.id());
            let (partitions, has_ended) = (PartitionSet::default(), false);
            let task = HookTask { registry, gaps, partitions, runtime, has_ended, is_restart };
            let consumer = Arc::downgrade(&session.consumer);
            session.runtime.spawn(run_hook(consumer, session.check_timeout, task));
        }
    }
}

/// Runs the hook until there is no gap. Keeps the endpoint alive only while it runs.
async fn run_hook<C: Consumer>(consumer: Weak<C>, timeout: Duration, mut task: HookTask<C>) {
    while let Some((partitions, pause)) = task.next() {
        let (Some(registry), Some(consumer)) = (task.registry.upgrade(), consumer.upgrade()) else { return };
        let loss = Loss { registry, partitions, pacer: Pacer::new() };
        let gap = Gap::new(&loss);
        let hook = contain_future(consumer.on_gap(&gap));
        let name = C::NAME;
        match deadline(timeout, hook).await {
            Some(Ok(())) => {}
            Some(Err(panic)) => {
                log_entry!(ERROR, consumer = name, cause = ?Cause::new(&panic.message()), "`#[gap]` panicked");
            }
            None => log_entry!(ERROR, consumer = name, "`#[gap]` took too long"),
        }
        drop((loss, consumer));
        task.partitions = PartitionSet::default();
        sleep(pause).await;
    }
}

impl<C: Consumer> Gap<'_, C> {
    /// Returns where events were lost. Always `Some`: the hook is called with the registry of its own consumer.
    fn details(&self) -> Option<&Loss<C>> {
        <dyn Any>::downcast_ref(self.loss())
    }

    /// Returns the groups of type `G` that have members on this machine, and of which events may have been lost, in no
    /// particular order: `cx.groups::<Room>()`.
    pub fn groups<G: Group<Consumer = C>>(&self) -> Vec<G> {
        let groups = |loss: &Loss<C>| loss.registry.group_table::<G>().list_by_partition(loss.partitions);
        self.details().map(groups).unwrap_or_default()
    }

    /// Returns the ids of the users that are connected to this machine, and of whose personal events
    /// ([`publish_to_user`](crate::Publisher::publish_to_user)) some may have been lost, in no particular order.
    pub fn users(&self) -> Vec<String> {
        self.details().map(|loss| loss.registry.list_users(loss.partitions)).unwrap_or_default()
    }

    /// Publishes an event to the members of a group on this machine: each receives it if the event's permission holds. Other
    /// machines are left out, because they have not lost these events.
    ///
    /// Unchecked: the `publish` expression of the group is not evaluated, because the server publishes. Waits first for
    /// connections that had no chance to run, as [`Publisher::ready`](crate::Publisher::ready) does.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it completes, the event is not published.
    pub async fn publish_here<G, E>(&self, group: &G, event: E)
    where
        G: Group<Consumer = C> + Carries<E>,
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        let Some(loss) = self.details() else { return };
        loss.pacer.before_publication().await;
        if let Some(members) = loss.registry.group_table::<G>().members(group) {
            let members = GroupMembers { name: members.name.clone(), list: members.list() };
            loss.publish(<C as Emits<E>>::NAME, |registry| {
                registry.deliver_to_group(&members, OutgoingEvent::received(event), None)
            });
        }
    }

    /// Publishes an event to the connections of a user to this machine: each receives it if the event's permission holds.
    ///
    /// Unchecked: nothing is evaluated for a publisher, because the server publishes. Waits first, as
    /// [`publish_here`](Gap::publish_here) does.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it completes, the event is not published.
    pub async fn publish_to_user_here<E>(&self, user_id: &str, event: E)
    where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        let Some(loss) = self.details() else { return };
        loss.pacer.before_publication().await;
        loss.publish(<C as Emits<E>>::NAME, |registry| {
            registry.deliver_to_sessions(registry.sessions_of_user(user_id), OutgoingEvent::received(event))
        });
    }
}

impl<C: Consumer> Loss<C> {
    /// Delivers an event, and counts it.
    fn publish(&self, event: &'static str, deliver: impl FnOnce(&SessionRegistry<C>) -> FanoutCounts) {
        let counts = HANDLE_PACER.sync_scope(self.pacer.clone(), || deliver(&self.registry));
        self.pacer.record_deliveries(counts.record(&self.registry.telemetry, event));
        // The hook may compute for a while after it has published.
        notify_now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::Partition;

    #[test]
    fn gaps_during_a_run_are_one_gap_of_the_next() {
        let gaps = PendingGaps::default();
        let [one, other, third] = ["1", "2", "3"].map(Partition::of_user);
        assert!(gaps.add(one.into()));
        assert_eq!(gaps.take(), Some((one.into(), MIN_PAUSE)));
        assert!(!gaps.add(other.into()) && !gaps.add(third.into()));
        let (taken, pause) = gaps.take().unwrap();
        assert!(taken.contains(other) && taken.contains(third) && !taken.contains(one));
        assert_eq!(pause, 2 * MIN_PAUSE);
        assert_eq!(gaps.take(), None);
        assert!(gaps.add(one.into()), "the task has ended");
    }

    #[test]
    fn gap_of_a_task_that_was_stopped_waits_for_the_next() {
        let gaps = PendingGaps::default();
        let [one, other] = ["1", "2"].map(Partition::of_user);
        assert!(gaps.add(one.into()));
        let (taken, _) = gaps.take().unwrap();
        gaps.stop(taken);
        assert!(gaps.add(other.into()));
        assert!(gaps.take().is_some_and(|(taken, _)| taken.contains(one) && taken.contains(other)));
    }
}
