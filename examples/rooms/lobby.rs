//! The consumer: actions outside of rooms, and the mount of everything else.

use portcullis::{AllowAny, Context, Created, IsAuthenticated, NoContent, Result, consumer};

use super::extract::{Caller, Page};
use super::model::{Account, Room};
use super::permissions::SiteAdmin;
use super::rooms::{Rooms, filled};
use super::store::{Player, Store};

/// One value, shared by all connections.
pub(crate) struct Lobby {
    store: Store,
    rooms: Rooms,
}

impl Lobby {
    /// Creates a lobby over this database.
    pub(crate) fn new(store: Store) -> Lobby {
        Lobby { rooms: Rooms::new(store.clone()), store }
    }
}

#[consumer(user = Account)]
impl Lobby {
    /// A public action. There is no default permission, so it needs `AllowAny`.
    #[action(permission = "AllowAny")]
    fn list(&self, #[extract] page: Page) -> Result<Vec<Room>> {
        self.store.rooms(page.number())
    }

    /// The caller with its role in every room; `null` if the connection is anonymous.
    #[action(permission = "AllowAny")]
    fn whoami(&self, cx: &Context<'_, Account>) -> Result<Option<Player>> {
        cx.user().map(|user| self.store.player(user.clone())).transpose()
    }

    #[action(permission = "IsAuthenticated")]
    fn create_room(&self, #[extract] caller: Caller, name: String) -> Result<Created<Room>> {
        self.store.create_room(caller.0, filled("name", name)?).map(Created)
    }

    /// Restores the initial data of the demo.
    #[action(permission = "SiteAdmin")]
    fn reset(&self) -> Result<NoContent> {
        self.store.reset().map(|()| NoContent)
    }

    #[route("rooms/{room_id:[0-9]+}/")]
    fn rooms(&self) -> &Rooms {
        &self.rooms
    }
}
