//! Presence of users that are connected to other machines: which groups take part, and what changes of other machines do here.

use std::any::Any;
use std::sync::Arc;

use super::codec::CodecResult;
use super::group::Group;
use super::group_hold::{GroupHold, GroupPresence, encode_key};
use super::remote_users::{LoadUser, RemoteUserHandle, RemoteUsers};
use crate::broker::{GroupId, GroupUser, Partition};
use crate::consumer::Consumer;
use crate::error::Result;
use crate::log::Truncated;
use crate::panic::{Contained, catch_unwind, log_entry};
use crate::session::session::SessionRegistry;

/// Shows users of a group as they are connected to other machines, if the group with this encoded key has members here.
pub(super) type UpdateUsers<C> = fn(&SessionRegistry<C>, &[u8], &[Arc<str>]) -> CodecResult<()>;

pub(super) fn update_users<G: Group>(
    registry: &SessionRegistry<G::Consumer>,
    key: &[u8],
    user_ids: &[Arc<str>],
) -> CodecResult<()> {
    let Some(codec) = G::CODEC else { return Ok(()) };
    let group = Contained::new(codec.decode_value(key)?);
    if let Some(list) = registry.group_table::<G>().members(&*group) {
        list.update_remote_users(user_ids);
    }
    Ok(())
}

impl<C: Consumer> SessionRegistry<C> {
    /// Shares the users of groups with other machines. `load` loads those that are connected there. Has no effect if it was
    /// called before.
    ///
    /// # Panics
    ///
    /// Panics outside of a tokio runtime.
    pub(crate) fn share_users(&self, load: Arc<LoadUser<C::User>>) {
        let _ = self.remote_users.set(Arc::new(RemoteUserHandle(RemoteUsers::<C>::new(load))));
    }

    /// Returns the users of other machines. `None` if they are not shared.
    pub(super) fn loaded_remote_users(&self) -> Option<Arc<RemoteUsers<C>>> {
        let users: &dyn Any = &**self.remote_users.get()?;
        Some(users.downcast_ref::<RemoteUserHandle<C>>()?.0.clone())
    }

    /// Subscribes to the events of a group that a session here is about to join or to list, and waits for the broker and, for
    /// a group with presence, for the users of the other machines. `None` without a broker, or if the group is local.
    ///
    /// # Errors
    ///
    /// 500 if the key cannot be encoded.
    pub(super) async fn hold_group<G: Group<Consumer = C>>(&self, group: &G) -> Result<Option<GroupHold<C>>> {
        let (Some(node), Some(codec)) = (self.node.get(), G::CODEC) else { return Ok(None) };
        let key = encode_key(&codec, group)?;
        let partition = node.hold(Partition::of_group(G::NAME, &key));
        let history = G::HISTORY.map(|_| node.hold_history(partition.partition()));
        partition.subscribed().await;
        if let Some(history) = &history {
            history.subscribed().await;
        }
        let users = self.loaded_remote_users().filter(|_| G::PRESENCE.is_some());
        let presence = users.map(|users| {
            let id = GroupId { name: G::NAME.into(), fingerprint: G::FINGERPRINT, key: key.into() };
            GroupPresence { id, users }
        });
        if presence.is_some() {
            partition.wait_for_users().await;
        }
        Ok(Some(GroupHold { partition, history, presence }))
    }

    /// Shows users as they are connected to other machines.
    pub(super) fn update_remote_users(&self, users: impl IntoIterator<Item = GroupUser>) {
        let mut groups: Vec<(GroupId, Vec<Arc<str>>)> = Vec::new();
        // Those of one group are adjacent.
        for (group, user_id) in users {
            match groups.last_mut() {
                Some((last, user_ids)) if *last == group => user_ids.push(user_id),
                _ => groups.push((group, vec![user_id])),
            }
        }
        for (group, user_ids) in groups {
            let Some(group_type) = self.remote_groups().get(&group.name) else { continue };
            if group_type.fingerprint != group.fingerprint {
                continue;
            }
            let updated = catch_unwind(|| (group_type.update_users)(self, &group.key, &user_ids));
            if !updated.is_ok_and(|decoded| decoded.is_ok()) {
                self.telemetry.record_failure();
                let group = Truncated::new(&group.name);
                log_entry!(
                    ERROR,
                    ?group,
                    "users of another machine not shown: the key of their group cannot be decoded"
                );
            }
        }
    }
}
