//! The one door that stands open to outsiders: `channels/{room_id}/`. It leads to public channels and nothing else.

use portcullis::{Context, Result, handler};

use super::events::MemberAdded;
use super::groups::RoomGroup;
use super::model::{Account, Room, RoomId};
use super::objects::Caller;
use super::permissions::Public;
use super::state::{State, Stated};

/// The public channels, whichever the route says.
pub(crate) struct Channels {
    state: State,
}

impl Channels {
    /// Channels with this state.
    pub(crate) fn new(state: State) -> Channels {
        Channels { state }
    }
}

impl Stated for Channels {
    fn state(&self) -> &State {
        &self.state
    }
}

#[handler(user = Account, permission = "Public")]
impl Channels {
    /// From now on the caller may read there, and has it open on this socket.
    #[action]
    async fn join(
        &self,
        cx: &Context<'_, Account>,
        #[path] room_id: RoomId,
        #[extract] caller: Caller,
    ) -> Result<Room> {
        for place in self.state.store.add(room_id, &[caller.0])? {
            cx.publish(RoomGroup(room_id), MemberAdded(place))?;
        }
        cx.join(RoomGroup(room_id)).await?;
        self.state.store.room(room_id)
    }
}
