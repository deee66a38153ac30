//! How a change of who may do what reaches the sockets that are open.

use std::sync::{Arc, OnceLock};

use portcullis::{GrantKey as _, Sessions};

use super::lobby::Chat;
use super::model::{RoomId, UserId};

/// The way to open sockets. Messages need none, as each asks the database; events do, because a socket that is in a
/// group gets them unasked.
///
/// The sockets belong to an endpoint that is made of the very consumer that needs to reach them. So this is empty at
/// first, and [filled](Revoke::fill) once the endpoint is there, before it serves anybody.
#[derive(Clone, Default)]
pub(crate) struct Revoke(Arc<OnceLock<Sessions<Chat>>>);

impl Revoke {
    /// These are the sockets.
    pub(crate) fn fill(&self, sessions: Sessions<Chat>) {
        let _ = self.0.set(sessions);
    }

    /// What these people may do has changed. When it returns, they get nothing more that they may not have.
    pub(crate) async fn people(&self, users: &[UserId]) {
        let Some(sessions) = self.0.get() else { return };
        for user in users {
            sessions.refresh_user(&user.to_string()).await;
        }
    }

    /// What a room changes of grants has changed.
    pub(crate) async fn room(&self, room: RoomId) {
        if let Some(sessions) = self.0.get() {
            sessions.refresh_object(&room.grant_key()).await;
        }
    }
}
