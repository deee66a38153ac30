//! The decision that this application makes otherwise: who may send. The other four are as they come.

use portcullis::{Error, Result};

use super::policy::{Policy, Standing, may_send};
use super::store::Store;

/// Archived rooms take nothing new, staff may post anywhere else, and nobody says more than so much a day.
pub(crate) struct House {
    pub(crate) store: Store,
    /// How many messages a day.
    pub(crate) quota: u32,
}

impl Policy for House {
    fn may_send(&self, who: &Standing) -> Result<bool> {
        let may = !who.room.archived && (who.staff || may_send(who));
        // Last of all, so that it is told to nobody who could not send anyway.
        if may && self.store.said_today(who.user)? >= self.quota {
            return Err(Error::too_many_requests(self.store.rest_of_the_day()?));
        }
        Ok(may)
    }
}
