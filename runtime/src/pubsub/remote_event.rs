//! Events between machines: publishing to the others, and delivering what they publish. Each machine evaluates the permissions
//! for its own sessions.

use std::any::Any;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use super::chunked_list::ChunkedList;
use super::codec::CodecResult;
use super::event::Emits;
use super::group::Group;
use super::group_hold::encode_key;
use super::history::History;
use super::member::Member;
use super::outgoing_event::OutgoingEvent;
use super::remote_presence::{UpdateUsers, update_users};
use super::resume::Replay;
use crate::broker::{
    ChangeMessage, ClusterEndpoint, EventMessage, GroupUser, LogId, LogPosition, Partition, PartitionSet, Target,
    Undeliverable,
};
use crate::consumer::{Consumer, EventDescriptor};
use crate::context::ConnectionId;
use crate::error::Result;
use crate::panic::{Contained, catch_unwind, log_entry};
use crate::session::session::SessionRegistry;
use crate::sync::ignore_poison;

/// The groups of a consumer by their names on other machines, as soon as one of their type has had a member here: the
/// fingerprint of the type, and what finds its groups.
pub(crate) struct RemoteGroups<C: Consumer>(Mutex<HashMap<&'static str, RemoteGroupType<C>>>);

/// A type of groups.
pub(super) struct RemoteGroupType<C: Consumer> {
    pub(super) fingerprint: u64,
    /// The path of the type, and how much history its groups keep, if they do.
    history: Option<History>,
    find: FindMembers<C>,
    pub(super) update_users: UpdateUsers<C>,
}

impl<C: Consumer> Clone for RemoteGroupType<C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C: Consumer> Copy for RemoteGroupType<C> {}

/// The members of one group, as an event of another machine finds them.
pub(super) struct GroupMembers<C: Consumer> {
    pub(super) name: Option<Arc<str>>,
    pub(super) list: Arc<ChunkedList<Member<C>>>,
}

/// Returns the members of the group with an encoded key.
type FindMembers<C> = fn(&SessionRegistry<C>, &[u8]) -> CodecResult<Option<GroupMembers<C>>>;

impl<C: Consumer> Default for RemoteGroups<C> {
    fn default() -> Self {
        RemoteGroups(Mutex::default())
    }
}

impl<C: Consumer> RemoteGroups<C> {
    /// Adds a type of groups. Local groups are not found by other machines.
    pub(super) fn add<G: Group<Consumer = C>>(&self) {
        if G::CODEC.is_some() {
            let (fingerprint, find, update_users) = (G::FINGERPRINT, find_members::<G> as _, update_users::<G> as _);
            let history = G::HISTORY;
            ignore_poison(self.0.lock()).insert(G::NAME, RemoteGroupType { fingerprint, history, find, update_users });
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<RemoteGroupType<C>> {
        ignore_poison(self.0.lock()).get(name).copied()
    }
}

fn find_members<G: Group>(
    registry: &SessionRegistry<G::Consumer>,
    key: &[u8],
) -> CodecResult<Option<GroupMembers<G::Consumer>>> {
    let Some(codec) = G::CODEC else { return Ok(None) };
    let group = Contained::new(codec.decode_value(key)?);
    let members = registry.group_table::<G>().members(&*group);
    Ok(members.map(|members| GroupMembers { name: members.name.clone(), list: members.list() }))
}

impl<C: Consumer> SessionRegistry<C> {
    pub(super) fn remote_groups(&self) -> Arc<RemoteGroups<C>> {
        self.attachment()
    }

    /// Waits until events for a user of a session here are received from other machines, for a second at most.
    pub(crate) async fn user_subscribed(&self, user_id: Option<&str>) {
        if let (Some(node), Some(user_id)) = (self.node.get(), user_id) {
            node.hold(Partition::of_user(user_id)).subscribed().await;
        }
    }

    /// Publishes an event to the members of groups on other machines.
    pub(super) fn publish_elsewhere<G, E>(
        &self,
        groups: &[G],
        is_several: bool,
        event: &OutgoingEvent<E>,
        except: Option<ConnectionId>,
    ) where
        G: Group<Consumer = C>,
        C: Emits<E>,
    {
        let (Some(node), Some(body), Some(codec)) = (self.node.get(), &event.body, G::CODEC) else { return };
        let encoded: Result<Vec<Vec<u8>>> = groups.iter().map(|group| encode_key(&codec, group)).collect();
        let keys = match encoded {
            Ok(keys) => keys,
            Err(error) => {
                self.telemetry.record_failure();
                log_entry!(
                    ERROR,
                    group = G::NAME,
                    cause = ?crate::log::Cause::new(&error),
                    "event not sent to other machines: encoding the key of the group failed"
                );
                return;
            }
        };
        let partitions: Vec<_> = keys.iter().map(|key| Partition::of_group(G::NAME, key)).collect();
        let keys = keys.iter().map(Vec::as_slice).collect();
        let target = Target::Groups { name: G::NAME, fingerprint: G::FINGERPRINT, keys };
        let message = message(&C::EVENT, target, except, body);
        match partitions[..] {
            [partition] if !is_several => node.publish_event(partition, &message),
            _ => node.publish_to_several(partitions, message),
        }
    }

    /// Publishes an event to a user on other machines.
    pub(super) fn publish_to_user_elsewhere<E>(&self, user_id: &str, event: &OutgoingEvent<E>)
    where
        C: Emits<E>,
    {
        if let (Some(node), Some(body)) = (self.node.get(), &event.body) {
            let target = Target::User(user_id);
            node.publish_event(Partition::of_user(user_id), &message(&C::EVENT, target, None, body));
        }
    }

    /// Returns the members of groups that another machine has published to. Groups without members here are left out.
    fn find_groups(&self, name: &str, fingerprint: u64, keys: &[&[u8]]) -> Result<Vec<GroupMembers<C>>, Undeliverable> {
        let Some(group_type) = self.remote_groups().get(name) else { return Ok(Vec::new()) };
        if group_type.fingerprint != fingerprint {
            return Err(Undeliverable::UnknownType);
        }
        let find = |key: &&[u8]| (group_type.find)(self, key).transpose();
        let find_all = || keys.iter().filter_map(find).collect::<CodecResult<_>>();
        catch_unwind(find_all).ok().and_then(Result::ok).ok_or(Undeliverable::Undecodable)
    }
}

impl<C: Consumer> SessionRegistry<C> {
    /// Returns the log and the position of an event of a group with a history. `None` for other events, and for those of a group
    /// that keeps no history in this version of the service.
    fn find_log(&self, message: &EventMessage<'_>) -> Result<Option<(LogId, LogPosition)>, Undeliverable> {
        let (Some(position), Target::Groups { name, fingerprint, keys }) = (message.position, &message.target) else {
            return Ok(None);
        };
        let Some(group_type) = self.remote_groups().get(name) else { return Ok(None) };
        if group_type.fingerprint != *fingerprint {
            return Err(Undeliverable::UnknownType);
        }
        let key = keys.first().ok_or(Undeliverable::Undecodable)?;
        Ok(group_type.history.map(|history| (history.log(name, key), position)))
    }

    /// Returns the members of the group that an event is for.
    fn find_group(&self, message: &EventMessage<'_>) -> Result<Vec<GroupMembers<C>>, Undeliverable> {
        match &message.target {
            Target::Groups { name, fingerprint, keys } => self.find_groups(name, *fingerprint, keys),
            Target::User(_) => Ok(Vec::new()),
        }
    }
}

impl<C: Consumer> ClusterEndpoint for SessionRegistry<C> {
    fn deliver(&self, message: &EventMessage<'_>) -> Result<(), Undeliverable> {
        let is_meant =
            |event: &&EventDescriptor| event.type_name == message.event && event.fingerprint == message.fingerprint;
        let event = C::EVENTS.iter().find(is_meant).ok_or(Undeliverable::UnknownType)?;
        (event.receive)(self, message)
    }

    fn apply(self: Arc<Self>, change: &ChangeMessage<'_>, done: Box<dyn FnOnce() + Send>) {
        self.apply_remote(change, done);
    }

    fn close_all(&self) {
        self.close_cut_off();
    }

    fn link_changed(&self, is_connected: bool) {
        self.telemetry.record_link(is_connected);
    }

    fn missed(self: Arc<Self>, partitions: PartitionSet) {
        self.history().record_loss(partitions);
        self.missed_unknown(partitions);
    }

    fn missed_unknown(self: Arc<Self>, partitions: PartitionSet) {
        // The resumes in progress here are of groups as they are defined here.
        self.telemetry.record_gap();
        self.run_gap_hook(partitions);
    }

    fn shares_presence(&self) -> bool {
        self.remote_users.get().is_some()
    }

    fn has_equal_group(&self, name: &str, fingerprint: u64) -> bool {
        self.remote_groups().get(name).is_none_or(|group_type| group_type.fingerprint == fingerprint)
    }

    fn presence_changed(&self, users: BTreeSet<GroupUser>) {
        self.update_remote_users(users);
    }

    fn upkeep(&self) {
        if let Some(users) = self.loaded_remote_users() {
            users.upkeep();
        }
    }
}

pub(super) fn message<'a>(
    event: &EventDescriptor,
    target: Target<'a>,
    except: Option<ConnectionId>,
    body: &'a [u8],
) -> EventMessage<'a> {
    let (event, fingerprint) = (event.type_name, event.fingerprint);
    EventMessage { target, publication: None, except, event, fingerprint, body, position: None }
}

/// Decodes an event of another machine, or of a history, and delivers it to what receives it: the sessions of a registry of
/// consumer `C`, or one session to which it is replayed.
///
/// # Errors
///
/// Fails if the event is local, or cannot be decoded.
pub fn receive_event<C: Emits<E>, E: Send + Sync + 'static>(
    receiver: &(dyn Any + Send + Sync),
    message: &EventMessage<'_>,
) -> Result<(), Undeliverable> {
    let codec = C::EVENT_TYPE.codec.ok_or(Undeliverable::UnknownType)?;
    let decode = || {
        let decoded = catch_unwind(|| codec.decode_value(message.body)).ok().and_then(Result::ok);
        decoded.map(OutgoingEvent::received).ok_or(Undeliverable::Undecodable)
    };
    if let Some(replay) = receiver.downcast_ref::<Replay<C>>() {
        replay.push::<E>(message, decode()?);
        return Ok(());
    }
    let registry = receiver.downcast_ref::<SessionRegistry<C>>().ok_or(Undeliverable::UnknownType)?;
    if let Some(logged) = registry.find_log(message)? {
        let members = || Ok(registry.find_group(message)?.pop());
        let counts = registry.deliver_logged::<E, _>(logged, members, message.except, decode)?;
        counts.record_received(&registry.telemetry);
        return Ok(());
    }
    match &message.target {
        Target::User(user_id) => {
            let sessions = registry.sessions_of_user(user_id);
            if !sessions.is_empty() {
                registry.deliver_to_sessions(sessions, decode()?).record_received(&registry.telemetry);
            }
        }
        Target::Groups { name, fingerprint, keys } => {
            let mut groups = registry.find_groups(name, *fingerprint, keys)?;
            // As on the machine that has published it, the frame has the name of the group unless it was one of several.
            let counts = match (message.publication, groups.pop()) {
                (_, None) => return Ok(()),
                (None, Some(group)) => registry.deliver_to_group(&group, decode()?, message.except),
                (_, Some(group)) => {
                    groups.push(group);
                    registry.deliver_to_groups(groups.into_iter().map(|group| group.list), decode()?)
                }
            };
            counts.record_received(&registry.telemetry);
        }
    }
    Ok(())
}
