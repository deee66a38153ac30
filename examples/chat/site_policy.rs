//! The policy of this application. It replaces one decision, who may post; the other four are the defaults.

use portcullis::{Error, Result};

use super::policy::{Policy, Standing, may_send};
use super::store::Store;

/// Staff may post everywhere, and each user has a daily quota.
pub(crate) struct SitePolicy {
    pub(crate) store: Store,
    /// The maximum number of messages per user and day.
    pub(crate) quota: u32,
}

impl Policy for SitePolicy {
    fn may_send(&self, who: &Standing) -> Result<bool> {
        let may = who.staff || may_send(who);
        // Checked last: a user without the permission to post gets 403 and does not learn about the quota.
        if may && self.store.count_messages_today(who.user)? >= self.quota {
            return Err(Error::too_many_requests(self.store.time_until_midnight()?));
        }
        Ok(may)
    }
}
