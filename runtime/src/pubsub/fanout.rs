//! Fan-out: delivers one event to many sessions. What is the same for all is encoded once.

use std::array::from_fn;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use smallvec::SmallVec;

use super::chunked_list::ChunkedList;
use super::delivery::{DeliveryOutcome, FastPathView};
use super::event::Emits;
use super::group::{Carries, Group};
use super::member::Member;
use super::outgoing_event::OutgoingEvent;
use super::publication::Publication;
use super::remote_event::GroupMembers;
use crate::consumer::Consumer;
use crate::context::ConnectionId;
use crate::observe::Telemetry;
use crate::session::backpressure::Pacer;
use crate::session::delivery_path::DeliveryPath;
use crate::session::membership::Membership;
use crate::session::session::{Session, SessionRegistry};

/// The number of members whose state is read before the first of them is authorized, so that the processor fetches their
/// memory concurrently.
const CHUNK_LEN: usize = 16;

impl<C: Consumer> SessionRegistry<C> {
    /// Delivers an event to every member of a group, except to the session with the id `except`. Returns the number of
    /// members on this machine.
    pub(crate) fn publish<G, E>(
        self: &Arc<Self>,
        group: &G,
        event: OutgoingEvent<E>,
        except: Option<ConnectionId>,
    ) -> usize
    where
        G: Group<Consumer = C> + Carries<E>,
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        if let (Some(history), Some(codec)) = (G::HISTORY, G::CODEC) {
            return self.publish_logged(group, (history, codec), event, except);
        }
        self.publish_elsewhere(std::slice::from_ref(group), false, &event, except);
        let members = self.group_table::<G>().members(group);
        let counts = members.map(|members| {
            let members = GroupMembers { name: members.name.clone(), list: members.list() };
            self.deliver_to_group(&members, event, except)
        });
        counts.unwrap_or_default().record(&self.telemetry, <C as Emits<E>>::NAME)
    }

    /// Delivers an event to the members of one group on this machine.
    pub(super) fn deliver_to_group<E>(
        &self,
        group: &GroupMembers<C>,
        event: OutgoingEvent<E>,
        except: Option<ConnectionId>,
    ) -> FanoutCounts
    where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        let publication = Publication::new(event, group.name.clone());
        self.deliver_to_list(&publication, &group.list, |member| except == Some(member.session.id))
    }

    /// Delivers a publication to the members of one group on this machine, without those that are excluded.
    #[inline]
    pub(super) fn deliver_to_list<E>(
        &self,
        publication: &Arc<Publication<E>>,
        list: &ChunkedList<Member<C>>,
        is_excluded: impl Fn(&Member<C>) -> bool,
    ) -> FanoutCounts
    where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        let mut counts = FanoutCounts { attempted: list.len(), refused: 0 };
        for members in list.chunks() {
            for chunk in members.chunks(CHUNK_LEN) {
                counts.deliver(publication, chunk, &is_excluded);
            }
        }
        counts
    }

    /// Delivers an event to every member of several groups. A member of more than one of them receives it once, unless the groups
    /// keep a history. Returns the number of these members on this machine.
    pub(crate) fn publish_to_several<G, E>(self: &Arc<Self>, groups: &[G], event: OutgoingEvent<E>) -> usize
    where
        G: Group<Consumer = C> + Carries<E>,
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        if G::HISTORY.is_some() {
            // It has another position in each group.
            let mut seen = HashSet::new();
            let groups = groups.iter().filter(|group| seen.insert(*group));
            return groups.filter_map(|group| Some(self.publish(group, event.repeat(self)?, None))).sum();
        }
        self.publish_elsewhere(groups, true, &event, None);
        let table = self.group_table::<G>();
        let lists = groups.iter().filter_map(|group| table.members(group)).map(|members| members.list());
        self.deliver_to_groups(lists, event).record(&self.telemetry, <C as Emits<E>>::NAME)
    }

    /// Delivers an event to the members of several groups on this machine.
    pub(super) fn deliver_to_groups<E>(
        &self,
        lists: impl Iterator<Item = Arc<ChunkedList<Member<C>>>>,
        event: OutgoingEvent<E>,
    ) -> FanoutCounts
    where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        let mut index_by_session: HashMap<ConnectionId, usize> = HashMap::new();
        let mut receivers: Vec<Receiver<C>> = Vec::new();
        for list in lists {
            for Member { session, membership } in list.iter() {
                match index_by_session.get(&session.id) {
                    // The same group may be given twice.
                    Some(&index) if receivers[index].1.iter().any(|other| Arc::ptr_eq(other, membership)) => {}
                    Some(&index) => receivers[index].1.push(membership.clone()),
                    None => {
                        index_by_session.insert(session.id, receivers.len());
                        receivers.push((session.clone(), SmallVec::from_buf([membership.clone()])));
                    }
                }
            }
        }
        let (publication, mut counts) = (Publication::new(event, None), FanoutCounts::default());
        counts.attempted = receivers.len();
        for (session, memberships) in receivers {
            counts.add(match &memberships[..] {
                [membership] => session.deliver(&publication, DeliveryPath::Group(membership)),
                memberships => session.deliver(&publication, DeliveryPath::Groups(&memberships.into())),
            });
        }
        counts
    }

    /// Delivers an event to all sessions of one user. Returns the number of those on this machine.
    pub(crate) fn publish_to_user<E>(&self, user_id: &str, event: OutgoingEvent<E>) -> usize
    where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        self.publish_to_user_elsewhere(user_id, &event);
        let counts = self.deliver_to_sessions(self.sessions_of_user(user_id), event);
        counts.record(&self.telemetry, <C as Emits<E>>::NAME)
    }

    /// Delivers an event to these sessions of one user.
    pub(super) fn deliver_to_sessions<E>(&self, sessions: Vec<Arc<Session<C>>>, event: OutgoingEvent<E>) -> FanoutCounts
    where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        let (publication, mut counts) = (Publication::new(event, None), FanoutCounts::default());
        for session in sessions {
            counts.attempted += 1;
            counts.add(session.deliver(&publication, DeliveryPath::Personal));
        }
        counts
    }
}

/// A session, and its memberships in the groups that an event is published to.
type Receiver<C> = (Arc<Session<C>>, SmallVec<[Arc<Membership>; 1]>);

/// The number of sessions that an event was offered to, and the number of those that were refused.
#[derive(Default)]
#[must_use]
pub(super) struct FanoutCounts {
    attempted: usize,
    refused: usize,
}

impl FanoutCounts {
    /// Delivers an event to at most [`CHUNK_LEN`] members.
    #[inline]
    fn deliver<C, E>(
        &mut self,
        publication: &Arc<Publication<E>>,
        members: &[Member<C>],
        is_excluded: impl Fn(&Member<C>) -> bool,
    ) where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        let views: [_; CHUNK_LEN] = from_fn(|index| members.get(index).map(|member| member.session.fast_path_view()));
        views.iter().flatten().for_each(FastPathView::prefetch);
        for (member, view) in members.iter().zip(views.iter().flatten()) {
            if !is_excluded(member) {
                let path = DeliveryPath::Group(&member.membership);
                self.add(member.session.deliver_fast(view, publication, path));
            }
        }
    }

    fn add(&mut self, outcome: DeliveryOutcome) {
        self.refused += usize::from(outcome == DeliveryOutcome::Refused);
    }

    /// Records the counts of an event that another machine has published.
    pub(super) fn record_received(&self, telemetry: &Telemetry) {
        telemetry.record_received(self.refused);
    }

    /// Records the counts, and returns the number of attempted deliveries.
    pub(super) fn record(&self, telemetry: &Telemetry, event: &'static str) -> usize {
        Pacer::record_deliveries_of_connection(self.attempted);
        telemetry.record_publication(event, self.attempted, self.refused);
        self.attempted
    }
}
