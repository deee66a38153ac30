//! Shows:   permissions in the handshake, on a consumer, on a route, on a handler and on an action.
//! Run:     `cargo run --example permissions` (it connects to itself; no client is needed)
//! Look at: a column of the first two tables, and its line in the third, which shows the expression in effect.

use std::borrow::Cow;

use portcullis::testing::{ConnectBuilder, connect};
use portcullis::{AllowAny, ConnectContext, Consumer, Endpoint, Error, Handler, IsAuthenticated};
use portcullis::{Permission, PermissionContext, Result, User, consumer, handler};

/// A name and a role.
#[derive(Clone)]
struct Member(&'static str, &'static str);

impl User for Member {
    fn id(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.0)
    }
}

const PEOPLE: [Member; 4] =
    [Member("Ada", "staff"), Member("Ben", "member"), Member("Cy", "new"), Member("Dan", "banned")];

/// A leaf with an argument. It does not use the handler that it guards, so it works for every handler.
struct Is(&'static str);
impl<H: Handler<User = Member>> Permission<H> for Is {
    async fn has_permission(&self, _: &H, cx: &PermissionContext<'_, Member>) -> Result<bool> {
        Ok(cx.user().is_some_and(|member| member.1 == self.0))
    }
}

/// A leaf with an opinion in the connect phase. For anonymous clients, `Banned` and `!Banned` have no opinion, and no
/// opinion accepts.
struct Banned;
impl<H: Handler<User = Member>> Permission<H> for Banned {
    async fn has_permission(&self, club: &H, cx: &PermissionContext<'_, Member>) -> Result<bool> {
        Is("banned").has_permission(club, cx).await
    }
    async fn can_connect(&self, _: &H, cx: &ConnectContext<'_, Member>) -> Result<Option<bool>> {
        Ok(cx.user().map(|member| member.1 == "banned"))
    }
}

/// A leaf for one handler: it looks up a room in that handler's store. `{room_id}` in the
/// expressions is the capture of the route. Anonymous clients get 401 instead of
/// 403, so that a page can show its login form.
struct InRoom(u32);
impl Permission<Rooms> for InRoom {
    async fn has_permission(&self, rooms: &Rooms, cx: &PermissionContext<'_, Member>) -> Result<bool> {
        let member = cx.user().ok_or_else(Error::unauthenticated)?;
        Ok(rooms.keys.contains(&(self.0, member.0)))
    }
}

struct Club(Rooms);
#[consumer(user = Member, permission = "!Banned")]
impl Club {
    #[action]
    async fn hours(&self) {}

    #[action(permission = "IsAuthenticated & !Is(\"new\")")]
    async fn vote(&self) {}

    #[route("rooms/{room_id}/", permission = "!Is(\"new\")")]
    fn rooms(&self) -> &Rooms {
        &self.0
    }
}

struct Rooms {
    keys: Vec<(u32, &'static str)>,
}
#[handler(user = Member, permission = "Is(\"staff\") | InRoom({room_id})")]
impl Rooms {
    #[action]
    async fn enter(&self) {}

    #[action(permission = InRoom({room_id}))]
    async fn redecorate(&self) {}
}

/// A strict handshake: a leaf without an opinion on connecting, such as `Is`, is evaluated as for a message.
struct Office;
#[consumer(user = Member, connect = "Is(\"staff\")")]
impl Office {
    #[action(permission = AllowAny)]
    async fn accounts(&self) {}
}

/// Prints a row per user: the result of the handshake, and the status of the reply to each message.
async fn table<C: Consumer<User = Member>>(endpoint: &Endpoint<C>, messages: &[(&str, &str)]) {
    let head = messages.iter().map(|(action, route)| format!("{:>21}", format!("{action} {route}").trim_end()));
    println!("{:10}connect{}", C::NAME, head.collect::<String>());
    for member in PEOPLE.map(Some).into_iter().chain([None]) {
        let who = member.as_ref().map_or("anonymous".to_owned(), |member| format!("{}, {}", member.0, member.1));
        let connecting = connect(endpoint);
        match member.into_iter().fold(connecting, ConnectBuilder::user).open().await {
            Err(rejected) => print!("{who:14}{}", rejected.status()),
            Ok(mut client) => {
                print!("{who:14} in");
                for (action, route) in messages {
                    print!("{:>21}", client.call(action).route(route).await.status());
                }
            }
        }
        println!();
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), portcullis::RegistryError> {
    let club = portcullis::websocket(Club(Rooms { keys: vec![(1, "Ben")] }));
    let (one, two) = ("rooms/1/", "rooms/2/");
    let messages = [("hours", ""), ("vote", ""), ("enter", one), ("redecorate", one), ("enter", two)];
    table(&club, &messages).await;
    println!();
    table(&portcullis::websocket(Office), &[("accounts", "")]).await;
    println!("\nin: connected; 200: done; 401: log in first; 403: refused, under `connect` for the whole connection\n");
    print!("{}", portcullis::audit()?);
    Ok(())
}
