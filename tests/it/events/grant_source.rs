//! A grant source that records its loads and can be delayed.

use std::sync::{Arc, Mutex};

use portcullis::{Error, GrantKey, GrantSet, GrantSource, ObjectKey, Overwrites, Result, UserGrants};
use tokio::sync::Notify;

use super::{ChannelId, Member, uploads};

/// Grants `uploads.read` to users with the role `seer`, except in channel 6.
#[derive(Clone, Default)]
pub(crate) struct FakeGrants {
    /// Delays the grants of user 5.
    pub(crate) gate: Arc<Notify>,
    pub(crate) load_log: Arc<Mutex<Vec<String>>>,
}

impl GrantSource<Member> for FakeGrants {
    async fn load(&self, user: &Member) -> Result<UserGrants> {
        self.load_log.lock().unwrap().push(format!("user {}", user.id));
        if user.id == 5 {
            self.gate.notified().await;
        }
        if user.id == 6 {
            return Err(Error::internal("the source's secret"));
        }
        let seer = user.roles.contains(&"seer");
        Ok(if seer { GrantSet::from(uploads::read).into() } else { UserGrants::default() })
    }

    async fn overwrites(&self, objects: &[ObjectKey]) -> Result<Vec<Overwrites>> {
        self.load_log.lock().unwrap().push(format!("{} objects", objects.len()));
        let closed = Overwrites::new().deny_everyone(uploads::read);
        let of = |key: &ObjectKey| if *key == ChannelId(6).grant_key() { closed.clone() } else { Overwrites::new() };
        Ok(objects.iter().map(of).collect())
    }
}
