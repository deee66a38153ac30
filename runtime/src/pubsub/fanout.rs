//! The way of one event to many: what is the same for all is made once, and many members are looked at together.

use std::array::from_fn;
use std::collections::HashMap;
use std::sync::Arc;

use smallvec::SmallVec;

use super::delivery::{DeliveryOutcome, FastPathView};
use super::event::Emits;
use super::group::{Carries, Group};
use super::group_table::Member;
use super::publication::Publication;
use crate::consumer::Consumer;
use crate::panic::Contained;
use crate::session::backpressure::Pacer;
use crate::session::counters::CounterCells;
use crate::session::delivery_path::DeliveryPath;
use crate::session::membership::Membership;
use crate::session::registry::SessionRegistry;

/// How many members are looked at before the first of them is asked. Their memory is then fetched side by side, where one after
/// the other would wait for each.
const TOGETHER: usize = 16;

impl<C: Consumer> SessionRegistry<C> {
    /// Gives an event to every member of a group who may see it.
    pub(crate) fn publish<G, E>(&self, group: &G, event: Contained<E>, except: Option<u64>)
    where
        G: Group<Consumer = C> + Carries<E>,
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        let mut tally = FanoutCounts::default();
        if let Some(members) = self.kind::<G>().members(group) {
            let published = Publication::new(event, members.name.clone());
            let list = members.list();
            for together in list.chunks(TOGETHER) {
                tally.offer(&published, together, except);
            }
            tally.attempted = list.len();
        }
        tally.count(&self.counts);
    }

    /// The same for several groups: a member of more than one gets it once.
    pub(crate) fn publish_to_several<G, E>(&self, groups: &[G], event: Contained<E>)
    where
        G: Group<Consumer = C> + Carries<E>,
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        let kind = self.kind::<G>();
        let mut known: HashMap<u64, usize> = HashMap::new();
        let mut receivers: Vec<SmallVec<[Arc<Membership<C>>; 1]>> = Vec::new();
        for members in groups.iter().filter_map(|group| kind.members(group)) {
            for Member { seat, membership } in &*members.list() {
                match known.get(&seat.id) {
                    // A group may be named twice.
                    Some(&at) if receivers[at].iter().any(|one| Arc::ptr_eq(one, membership)) => {}
                    Some(&at) => receivers[at].push(membership.clone()),
                    None => {
                        known.insert(seat.id, receivers.len());
                        receivers.push(SmallVec::from_buf([membership.clone()]));
                    }
                }
            }
        }
        let (published, mut tally) = (Publication::new(event, None), FanoutCounts::default());
        tally.attempted = receivers.len();
        for memberships in receivers {
            tally.add(match &memberships[..] {
                [only] => only.seat.offer(&published, DeliveryPath::Group(only)),
                several => several[0].seat.offer(&published, DeliveryPath::Groups(&several.into())),
            });
        }
        tally.count(&self.counts);
    }

    /// Gives an event to one user on all sockets, where that user may see it.
    pub(crate) fn publish_to_user<E>(&self, user_id: &str, event: Contained<E>)
    where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        let (published, mut tally) = (Publication::new(event, None), FanoutCounts::default());
        for seat in self.seats_of(user_id) {
            tally.attempted += 1;
            tally.add(seat.offer(&published, DeliveryPath::Personal));
        }
        tally.count(&self.counts);
    }
}

/// How many sessions an event was offered to, and how many of them were not authorized to receive it.
#[derive(Default)]
struct FanoutCounts {
    attempted: usize,
    refused: u64,
}

impl FanoutCounts {
    /// Offers it to some members.
    fn offer<C, E>(&mut self, published: &Arc<Publication<E>>, members: &[Member<C>], except: Option<u64>)
    where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        let glances: [_; TOGETHER] = from_fn(|at| members.get(at).map(|member| member.seat.glance()));
        glances.iter().flatten().for_each(FastPathView::fetch);
        for (Member { seat, membership }, glance) in members.iter().zip(glances.iter().flatten()) {
            if except != Some(seat.id) {
                self.add(seat.offer_at(glance, published, DeliveryPath::Group(membership)));
            }
        }
    }

    fn add(&mut self, offered: DeliveryOutcome) {
        self.refused += u64::from(offered == DeliveryOutcome::Refused);
    }

    fn count(&self, counts: &CounterCells) {
        Pacer::record_deliveries(self.attempted);
        counts.published(self.refused);
    }
}
