//! Running `#[gap]` after events of other machines may have been lost, and what it can do: find the groups and users that are
//! concerned, and publish to them on this machine.

use std::any::Any;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::sleep;

use super::event::Emits;
use super::group::{Carries, Group};
use super::outgoing_event::OutgoingEvent;
use super::remote_event::GroupMembers;
use crate::broker::PartitionSet;
use crate::consumer::Consumer;
use crate::context::Gap;
use crate::log::Cause;
use crate::panic::{contain_future, log_entry};
use crate::session::session::{Session, SessionRegistry};
use crate::sync::ignore_poison;
use crate::time::deadline;

/// The pause between two runs of the hook. What is lost meanwhile is one gap.
const PAUSE: Duration = Duration::from_secs(1);

/// The gaps of an endpoint that the hook has not been told of.
#[derive(Default)]
struct PendingGaps(Mutex<GapState>);

#[derive(Default)]
struct GapState {
    partitions: PartitionSet,
    /// Whether a task runs the hook.
    is_running: bool,
}

impl PendingGaps {
    /// Adds a gap. Returns whether a task has to be started that runs the hook.
    fn add(&self, partitions: PartitionSet) -> bool {
        let mut state = ignore_poison(self.0.lock());
        state.partitions |= partitions;
        !std::mem::replace(&mut state.is_running, true)
    }

    /// Returns the gaps that were added since. If there are none, the task counts as ended.
    fn take(&self) -> Option<PartitionSet> {
        let mut state = ignore_poison(self.0.lock());
        let partitions = std::mem::take(&mut state.partitions);
        state.is_running = !partitions.is_empty();
        state.is_running.then_some(partitions)
    }
}

/// Where events may have been lost.
struct Loss<C: Consumer> {
    registry: Arc<SessionRegistry<C>>,
    partitions: PartitionSet,
}

/// Lets another task start if the runtime of this one is shut down.
struct HookTask(Arc<PendingGaps>);

impl Drop for HookTask {
    fn drop(&mut self) {
        ignore_poison(self.0.0.lock()).is_running = false;
    }
}

impl<C: Consumer> SessionRegistry<C> {
    /// Runs the hook for a gap, or when the one that runs has ended. Without a connection nothing is concerned.
    pub(super) fn run_gap_hook(self: &Arc<Self>, partitions: PartitionSet) {
        let Some(session) = self.any_session() else { return };
        let gaps: Arc<PendingGaps> = self.attachment();
        if gaps.add(partitions) {
            session.runtime.spawn(run_hook(session.clone(), HookTask(gaps)));
        }
    }
}

/// Runs the hook until there is no gap. Keeps the registry and the consumer by a session, which may have ended.
async fn run_hook<C: Consumer>(session: Arc<Session<C>>, task: HookTask) {
    while let Some(partitions) = task.0.take() {
        let loss = Loss::<C> { registry: session.registry.clone(), partitions };
        let gap = Gap::new(&loss);
        let hook = contain_future(session.consumer.on_gap(&gap));
        match deadline(session.check_timeout, hook).await {
            Some(Ok(())) => {}
            Some(Err(panic)) => log_entry!(ERROR, cause = ?Cause::new(&panic.message()), "`#[gap]` panicked"),
            None => log_entry!(ERROR, "`#[gap]` took too long"),
        }
        sleep(PAUSE).await;
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
        let groups = |loss: &Loss<C>| loss.registry.group_table::<G>().in_partitions(loss.partitions);
        self.details().map(groups).unwrap_or_default()
    }

    /// Returns the ids of the users that are connected to this machine, and of whose personal events
    /// ([`publish_to_user`](crate::Publisher::publish_to_user)) some may have been lost, in no particular order.
    pub fn users(&self) -> Vec<String> {
        self.details().map(|loss| loss.registry.users_in(loss.partitions)).unwrap_or_default()
    }

    /// Publishes an event to the members of a group on this machine, for which the event's permission holds. Others have not
    /// lost the same events.
    ///
    /// Unchecked: the `publish` expression of the group is not evaluated, because the server publishes.
    pub fn publish_here<G, E>(&self, group: &G, event: E)
    where
        G: Group<Consumer = C> + Carries<E>,
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        let Some(Loss { registry, .. }) = self.details() else { return };
        if let Some(members) = registry.group_table::<G>().members(group) {
            let members = GroupMembers { name: members.name.clone(), list: members.list() };
            let counts = registry.deliver_to_group(&members, OutgoingEvent::received(event), None);
            counts.record(&registry.telemetry, <C as Emits<E>>::NAME);
        }
    }

    /// Publishes an event to the connections of a user to this machine, for which the event's permission holds.
    pub fn publish_to_user_here<E>(&self, user_id: &str, event: E)
    where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        let Some(Loss { registry, .. }) = self.details() else { return };
        let counts = registry.deliver_to_sessions(registry.sessions_of_user(user_id), OutgoingEvent::received(event));
        counts.record(&registry.telemetry, <C as Emits<E>>::NAME);
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
        assert_eq!(gaps.take(), Some(one.into()));
        assert!(!gaps.add(other.into()) && !gaps.add(third.into()));
        let taken = gaps.take().unwrap();
        assert!(taken.contains(other) && taken.contains(third) && !taken.contains(one));
        assert_eq!(gaps.take(), None);
        assert!(gaps.add(one.into()), "the task has ended");
    }

    #[test]
    fn gap_of_a_task_that_was_dropped_is_not_lost() {
        let gaps = Arc::new(PendingGaps::default());
        let [one, other] = ["1", "2"].map(Partition::of_user);
        assert!(gaps.add(one.into()));
        drop(HookTask(gaps.clone()));
        assert!(gaps.add(other.into()));
        assert!(gaps.take().is_some_and(|taken| taken.contains(one) && taken.contains(other)));
    }
}
