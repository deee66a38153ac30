//! Publishing and delivering the events of groups with a history.
//!
//! An event of such a group gets a position in the log of the group, and reaches all sessions in the order of the positions.
//! Without a broker, the log is in the memory of the endpoint. With one, the broker has it: the event is sent there, and is
//! delivered by each machine, this one too, when it comes back with its position.

use std::sync::Arc;

use bytes::Bytes;

use super::codec::Codec;
use super::event::Emits;
use super::fanout::FanoutCounts;
use super::group::{Carries, Group};
use super::group_hold::encode_key;
use super::history::History;
use super::history_feed::{Feed, deliver_in_turn};
use super::outgoing_event::OutgoingEvent;
use super::position::EventPosition;
use super::publication::Publication;
use super::remote_event::{GroupMembers, message};
use crate::broker::{LogId, LogPosition, Target};
use crate::consumer::Consumer;
use crate::context::ConnectionId;
use crate::error::{Error, Result};
use crate::log::Cause;
use crate::panic::{Contained, log_entry};
use crate::session::session::SessionRegistry;

impl<C: Consumer> SessionRegistry<C> {
    /// Publishes an event to a group with a history. Returns the number of members on this machine, if it is delivered at once.
    pub(super) fn publish_logged<G, E>(
        self: &Arc<Self>,
        group: &G,
        (history, codec): (History, Codec<G>),
        event: OutgoingEvent<E>,
        except: Option<ConnectionId>,
    ) -> usize
    where
        G: Group<Consumer = C> + Carries<E>,
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        // What cannot be encoded is logged already.
        let Some(body) = &event.body else { return 0 };
        let key = match encode_key(&codec, group) {
            Ok(key) => key,
            Err(error) => {
                self.report_unpublished::<G>(&error);
                return 0;
            }
        };
        let log = history.log(G::NAME, &key);
        let target = Target::Groups { name: G::NAME, fingerprint: G::FINGERPRINT, keys: vec![&key] };
        let message = message(&C::EVENT, target, except, body);
        if let Some(node) = self.node.get() {
            if !node.append_event(&log, &message) {
                self.telemetry.record_failure();
            }
            // What comes back is counted as received.
            return FanoutCounts::default().record(&self.telemetry, <C as Emits<E>>::NAME);
        }
        let (registry, group, payload) = (self.clone(), Contained::new(group.clone()), Bytes::from(message.encode()));
        deliver_in_turn(move || {
            let history = registry.history();
            let mut feed = history.lock_feed(log.partition);
            let position = match history.logs.append(&log, payload) {
                Ok(position) => position,
                Err(error) => {
                    drop(feed);
                    registry.report_unpublished::<G>(&error);
                    return 0;
                }
            };
            let members = registry.group_table::<G>().members(&*group);
            let members = members.map(|members| GroupMembers { name: members.name.clone(), list: members.list() });
            let key = registry.position_key(&history);
            let at = EventPosition::new(key, log.name(), position);
            let counts = registry.deliver_at(&mut feed, members, event, except, at);
            drop(feed);
            counts.record(&registry.telemetry, <C as Emits<E>>::NAME)
        })
    }

    fn report_unpublished<G: Group>(&self, error: &Error) {
        self.telemetry.record_failure();
        log_entry!(ERROR, group = G::NAME, cause = ?Cause::new(error), "event not published: it could not be appended to the history of its group");
    }

    /// Delivers an event that has come back from the broker with its position.
    ///
    /// # Errors
    ///
    /// The error of `decode`, which is called if a connection receives the event.
    pub(super) fn deliver_logged<E, R>(
        &self,
        (log, position): (LogId, LogPosition),
        members: impl FnOnce() -> Result<Option<GroupMembers<C>>, R>,
        except: Option<ConnectionId>,
        decode: impl FnOnce() -> Result<OutgoingEvent<E>, R>,
    ) -> Result<FanoutCounts, R>
    where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        let history = self.history();
        let mut feed = history.lock_feed(log.partition);
        let members = members()?;
        if members.is_none() && !feed.is_awaited(log.name()) {
            return Ok(FanoutCounts::default());
        }
        let at = EventPosition::new(self.position_key(&history), log.name(), position);
        Ok(self.deliver_at(&mut feed, members, decode()?, except, at))
    }

    /// Delivers an event at its position, under the lock of its feed.
    fn deliver_at<E>(
        &self,
        feed: &mut Feed<C>,
        members: Option<GroupMembers<C>>,
        event: OutgoingEvent<E>,
        except: Option<ConnectionId>,
        at: EventPosition,
    ) -> FanoutCounts
    where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        let (log, position) = (at.log, at.position);
        let name = members.as_ref().and_then(|members| members.name.clone());
        let publication = Publication::at_position(event, name, at);
        feed.record(log, position, &publication, except);
        let Some(members) = members else { return FanoutCounts::default() };
        self.deliver_to_list(&publication, &members.list, |member| {
            except == Some(member.session.id) || member.membership.has_had(position)
        })
    }
}
