//! Who may do what: permissions at the door, on a consumer, a route, a handler and an action.
//! Run it:   cargo run --example permissions      (it needs no server: it connects to itself)
//! Look at:  a column of the first two tables, then its line in the third, and the leaf below that said no.

use std::borrow::Cow;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use portcullis::testing::connect;
use portcullis::{AllowAny, Connect, Consumer, Context, Created, Endpoint, Error, Handler, IsAuthenticated};
use portcullis::{Permission, Result, User, consumer, handler};

#[derive(Clone)]
struct Member(&'static str, &'static [&'static str]);

impl User for Member {
    fn id(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.0)
    }
}

/// A leaf with an argument. It needs nothing of the handler, and so fits every one.
struct Is(&'static str);
impl<H: Handler<User = Member>> Permission<H> for Is {
    async fn has_permission(&self, _: &H, cx: &Context<'_, Member>) -> Result<bool> {
        Ok(cx.user().is_some_and(|member| member.1.contains(&self.0)))
    }
}

/// A leaf with a say at the door. `None` is no opinion, also under a `!`: strangers come in, and are judged by message.
struct Banned;
impl<H: Handler<User = Member>> Permission<H> for Banned {
    async fn has_permission(&self, club: &H, cx: &Context<'_, Member>) -> Result<bool> {
        Is("banned").has_permission(club, cx).await
    }
    async fn can_connect(&self, _: &H, cx: &Connect<'_, Member>) -> Result<Option<bool>> {
        Ok(cx.user().map(|member| member.1.contains(&"banned")))
    }
}

/// A leaf with an answer of its own: 401 instead of 403, so that a page knows to show its log-in form.
struct LoggedIn;
impl<H: Handler<User = Member>> Permission<H> for LoggedIn {
    async fn has_permission(&self, _: &H, cx: &Context<'_, Member>) -> Result<bool> {
        if cx.user().is_some() { Ok(true) } else { Err(Error::unauthenticated()) }
    }
}

/// A leaf for one handler, in whose store it looks for the room that the route names.
struct InRoom;
impl Permission<Rooms> for InRoom {
    const CAPTURES: &'static [&'static str] = &["room_id"];
    async fn has_permission(&self, rooms: &Rooms, cx: &Context<'_, Member>) -> Result<bool> {
        Ok(rooms.members.contains(&(cx.capture("room_id")?, cx.require_user()?.0)))
    }
}

/// Another: 429 for whoever has posted that often. It only looks; counting up is the action's work.
struct PostedLessThan(usize);
impl Permission<Rooms> for PostedLessThan {
    async fn has_permission(&self, rooms: &Rooms, cx: &Context<'_, Member>) -> Result<bool> {
        let author = cx.require_user()?.0;
        let posts = rooms.posts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = posts.iter().filter(|post| **post == author).count();
        if count < self.0 { Ok(true) } else { Err(Error::too_many_requests(Duration::from_mins(1))) }
    }
}

struct Club(Rooms);

#[consumer(user = Member, permission = "!Banned")]
impl Club {
    #[action]
    async fn hours(&self) -> &'static str { "8 to 22" }
    #[action(permission = "IsAuthenticated & (Is(\"chair\") | Is(\"staff\"))")]
    async fn announce(&self) {}
    #[route("rooms/{room_id}/", permission = "LoggedIn")]
    fn rooms(&self) -> &Rooms { &self.0 }
}
