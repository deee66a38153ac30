//! Public channels: `channels/{room_id}/`, the only route that users outside of a room may use.

use portcullis::{Context, Result, handler};

use super::events::MemberAdded;
use super::groups::RoomGroup;
use super::model::{Account, Room, RoomId};
use super::objects::Caller;
use super::permissions::{Archived, Public};
use super::state::{HasState, State};

/// The handler of public channels; the route names the channel.
pub(crate) struct Channels {
    state: State,
}

impl Channels {
    /// Creates the handler with this state.
    pub(crate) fn new(state: State) -> Channels {
        Channels { state }
    }
}

impl HasState for Channels {
    fn state(&self) -> &State {
        &self.state
    }
}

#[handler(user = Account, permission = "Public({room_id}) & !Archived({room_id})")]
impl Channels {
    /// Makes the caller a member, and this connection a member of the channel's group.
    #[action]
    async fn join(
        &self,
        cx: &Context<'_, Account>,
        #[path] room_id: RoomId,
        #[extract] caller: Caller,
    ) -> Result<Room> {
        let room = cx.publish_permit(RoomGroup(room_id)).await?;
        for place in self.state.store.add(room_id, &[caller.0])? {
            room.publish(MemberAdded(place));
        }
        cx.join(RoomGroup(room_id)).await?;
        self.state.store.room(room_id)
    }
}
