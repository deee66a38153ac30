//! Lists the members of a group that a viewer may see.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use http::StatusCode;
use serde::Serialize;

use super::announcement::may_see;
use super::encoding_check::check_key;
use super::event::Subscriber;
use super::group::Group;
use super::join_request::session;
use super::presence::Presence;
use super::roster::RosterUser;
use crate::consumer::Consumer;
use crate::context::{Call, Context, Handler, SideEffect, User};
use crate::error::{Error, Result};
use crate::panic::Contained;
use crate::session::session::Session;

/// A user who is a member of a group, see [`Context::members`](crate::Context::members).
///
/// As JSON it is `{"user":"7","connections":2}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct PresentMember {
    /// The user's id, see [`User::id`](crate::User::id).
    #[serde(rename = "user")]
    pub user_id: String,
    /// The number of the user's connections that are members of the group.
    pub connections: usize,
}

impl<U: User> Context<'_, U> {
    /// Returns the users that are members of a group and that this connection may see by the group's `presence` expression,
    /// sorted by user id.
    ///
    /// The connection need not be a member. Its own user is listed like any other. Anonymous members are not listed. The
    /// expression is evaluated for each user at each call, on the current rights of this connection; of a user with several
    /// connections, for the one that joined last. A member whose connection is closing is not listed, and one whose rights are
    /// being evaluated again is listed until its membership has ended. Joins of the running action do not count yet.
    ///
    /// With `announce` in the group's attribute, members also get an [event](crate::guide::events#presence) when a user comes
    /// or goes. A connection that has joined before it calls this misses no change: what happens until the reply is sent is
    /// announced again after it.
    ///
    /// # Errors
    ///
    /// - 409 `too_many_members` if the group has more than [`Limits::max_presence`](crate::Limits::max_presence) users, whether
    ///   or not they are visible. No part of the list is returned.
    /// - The error of the grant source, if the expression has a codename.
    /// - 500 `internal_error` when called by [`Load`](crate::Load) or in `#[authenticate]`, or if this connection does not
    ///   belong to the consumer of the group.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future has no effect.
    ///
    /// # Examples
    ///
    /// ```standalone_crate
    /// # use portcullis::{AllowAny, Context, Event, Group, IsAuthenticated, PresentMember, Result, User, consumer};
    /// # struct Member;
    /// # impl User for Member { fn id(&self) -> std::borrow::Cow<'_, str> { "7".into() } }
    /// # #[derive(Event)]
    /// # struct Said(String);
    /// #[derive(Clone, PartialEq, Eq, Hash, Group)]
    /// #[group(consumer = Chat, permission = AllowAny, publish = members, events(Said), presence = IsAuthenticated)]
    /// struct Room(u32);
    /// # struct Chat;
    /// # #[consumer(user = Member)]
    /// # impl Chat {
    /// #[action(permission = AllowAny)]
    /// async fn online(&self, cx: &Context<'_, Member>, room: u32) -> Result<Vec<PresentMember>> {
    ///     cx.members(&Room(room)).await
    /// }
    /// # #[event(permission = AllowAny)]
    /// # fn said<'e>(&self, event: &'e Said) -> &'e str { &event.0 }
    /// # }
    /// ```
    // Boxed, so that the future of the action stays small, and a group without presence is reported once.
    pub fn members<'c, G: Presence>(&'c self, group: &'c G) -> BoxFuture<'c, Result<Vec<PresentMember>>>
    where
        G::Consumer: Handler<User = U>,
    {
        Box::pin(async move {
            let call = self.action_call()?;
            let session = session::<G::Consumer, U>(call)?;
            check_key(&session.registry, group)?;
            let members = visible_members(session, group).await?;
            if G::ANNOUNCES {
                announce_again_after_reply(call, session, group, members.everyone);
            }
            Ok(members.visible)
        })
    }

    /// Returns the number of users that [`members`](Context::members) lists: those that this connection may see.
    ///
    /// # Errors
    ///
    /// As [`members`](Context::members).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future has no effect.
    pub fn member_count<'c, G: Presence>(&'c self, group: &'c G) -> BoxFuture<'c, Result<usize>>
    where
        G::Consumer: Handler<User = U>,
    {
        Box::pin(async move { Ok(self.members(group).await?.len()) })
    }
}

/// The users of a group at one time.
struct Members<C: Consumer> {
    visible: Vec<PresentMember>,
    /// All users, each with a connection.
    everyone: HashMap<Arc<str>, Arc<Session<C>>>,
}

/// Evaluates the `presence` expression for each user of a group, in one epoch of the viewer.
async fn visible_members<G: Group>(viewer: &Arc<Session<G::Consumer>>, group: &G) -> Result<Members<G::Consumer>> {
    let (mut overtaken, mut evaluation) = (0, None);
    loop {
        evaluation = evaluation.or_else(|| viewer.registry.pending_raises.wait_for(overtaken));
        overtaken += 1;
        // Read before the scope and before the evaluation, so that a change in between shows.
        let epoch = viewer.send_queue.epoch();
        let users = list_users(viewer, group)?;
        let visible = evaluate(viewer, group, &users).await?;
        if viewer.send_queue.epoch() == epoch {
            let newest = users.into_iter().filter_map(|user| Some((user.id, user.sessions.last()?.clone())));
            return Ok(Members { visible, everyone: newest.collect() });
        }
        // The viewer's rights have changed meanwhile. Yields, so that the time limit of the action applies.
        tokio::task::yield_now().await;
    }
}

/// Returns the users of a group, sorted by id.
///
/// # Errors
///
/// 409 if there are more than the limit.
fn list_users<G: Group>(viewer: &Session<G::Consumer>, group: &G) -> Result<Vec<RosterUser<G::Consumer>>> {
    let Some(list) = viewer.registry.group_table::<G>().members(group) else { return Ok(Vec::new()) };
    let mut users = list.users(viewer.max_presence).ok_or_else(|| {
        let detail = "The group has more members than can be listed.";
        Error::new(StatusCode::CONFLICT, "too_many_members", detail)
    })?;
    users.sort_unstable_by(|one, other| one.id.cmp(&other.id));
    Ok(users)
}

/// Returns the users that the viewer may see.
async fn evaluate<G: Group>(
    viewer: &Session<G::Consumer>,
    group: &G,
    users: &[RosterUser<G::Consumer>],
) -> Result<Vec<PresentMember>> {
    let Some(scope) = viewer.scope() else { return Ok(Vec::new()) };
    let mut subscriber = Subscriber::new(&*scope);
    let mut visible = Vec::new();
    for RosterUser { id, sessions } in users {
        let connections = sessions.iter().filter(|session| !session.is_closing()).count();
        // A user whose connections all end is not there any more.
        let Some(newest) = sessions.iter().rev().find(|session| !session.is_closing()) else { continue };
        let may_see = loop {
            match may_see(group, viewer, &subscriber, newest) {
                Some(may_see) => break may_see,
                None => subscriber.load().await?,
            }
        };
        if may_see {
            visible.push(PresentMember { user_id: id.to_string(), connections });
        }
    }
    Ok(visible)
}

/// Lets the viewer learn after the reply what has changed since the list was taken: events in between may precede the reply.
fn announce_again_after_reply<G: Group>(
    call: &Call<'_, <G::Consumer as Handler>::User>,
    viewer: &Arc<Session<G::Consumer>>,
    group: &G,
    everyone: HashMap<Arc<str>, Arc<Session<G::Consumer>>>,
) {
    let (viewer, group) = (viewer.clone(), Contained::new(group.clone()));
    let effect = move || {
        if let Some(list) = viewer.registry.group_table::<G>().members(&group) {
            list.announce_difference(&everyone, viewer.id);
        }
    };
    call.with_side_effects(|effects| effects.push(SideEffect::Publish(Box::new(effect))));
}
