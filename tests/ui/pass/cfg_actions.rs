//! `#[cfg]` on an item also applies to the code generated for it: types of disabled items need not exist, and two
//! methods that are never enabled together may have the same name.

use portcullis::{AllowAny, IsAuthenticated, consumer, handler};

struct Chat(Rooms);
struct Rooms;

#[consumer(user = (), permission = AllowAny)]
impl Chat {
    #[cfg(debug_assertions)]
    #[action(permission = IsAuthenticated)]
    async fn version(&self) -> &'static str {
        "debug"
    }

    #[cfg(not(debug_assertions))]
    #[action(permission = IsAuthenticated)]
    async fn version(&self) -> &'static str {
        "release"
    }

    #[cfg(any())]
    #[action(permission = "NotThere & !Neither(3)")]
    async fn gone(&self, argument: NotThere) -> Neither {
        argument.into()
    }

    #[cfg(any())]
    #[route("gone/", permission = NotThere)]
    fn nowhere(&self) -> &NotThere {
        &self.1
    }

    #[route("rooms/")]
    fn rooms(&self) -> &Rooms {
        &self.0
    }

    #[cfg(any())]
    #[connect]
    async fn hello(&self, cx: &ConnectContext<'_, NotThere>) {}
}

#[handler(user = (), permission = IsAuthenticated)]
#[cfg(all())]
impl Rooms {
    #[action]
    async fn ping(&self) {}
}

#[handler(permission = NotThere)]
#[cfg(any())]
impl Gone {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
