//! Lists the users that are present in a group, as far as a viewer may see them.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use http::StatusCode;
use serde::Serialize;

use super::encoding_check::check_key;
use super::event::Subscriber;
use super::group::Group;
use super::group_hold::GroupHold;
use super::join_request::session;
use super::presence::{HiddenMembers, Presence, may_see};
use super::roster::RosterUser;
use crate::context::{Context, Epoch, Handler, User};
use crate::error::{Error, Result};
use crate::session::session::Session;

/// A user that is present in a group, see [`Context::present_users`](crate::Context::present_users).
///
/// As JSON it is `{"user":"7","connections":2}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct PresentUser {
    /// The user's id, see [`User::id`](crate::User::id).
    #[serde(rename = "user")]
    pub user_id: String,
    /// The number of the user's connections that are members of the group, on all machines that share their users.
    pub connections: usize,
}

impl<U: User> Context<'_, U> {
    /// Returns the users that are present in a group and that this connection may see by the group's `presence` expression,
    /// sorted by user id. A user is present while at least one of its connections is a member.
    ///
    /// The connection need not be a member. Its own user is listed like any other. Anonymous members are not listed. The
    /// expression is evaluated for each user at each call, on the current rights of this connection; of a user with several
    /// connections in the group, for the one that joined first, with the user that last passed the group's permission. A user
    /// is listed until its last membership has ended, even while its rights are being evaluated again or its connection
    /// closes. Joins of the running action do not count yet.
    ///
    /// If the rights of this connection are changed by anything but this action before the reply is sent, the reply is a 403
    /// `rights_changed` instead, even if the action is still allowed: its content may come from a list on former rights. That
    /// concerns the viewer: of the users that are listed, a later change does not withhold the reply.
    ///
    /// With `announce` in the group's attribute, members also get an [event](crate::guide::events#presence) when the first
    /// connection of a user joins and when the last one leaves. A connection that has joined before it calls this misses no
    /// change.
    ///
    /// The users are those that are connected to this machine, or with an
    /// [`Endpoint::present_user_loader`](crate::Endpoint::present_user_loader) and a broker to [any
    /// machine](crate::guide::events#presence-on-several-machines). Then the call may wait for the other machines, and for users
    /// that are being loaded, for three seconds at most in all.
    ///
    /// # Errors
    ///
    /// - 409 `too_many_users` if the group has more than [`Limits::max_present_users`](crate::Limits::max_present_users)
    ///   users on all machines, whether or not they are visible, or if other machines have more than this one
    ///   [can keep](crate::guide::scaling_out#present-users). No part of the list is returned.
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
    /// # use portcullis::{AllowAny, Context, Event, Group, IsAuthenticated, PresentUser, Result, User, consumer};
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
    /// async fn online(&self, cx: &Context<'_, Member>, room: u32) -> Result<Vec<PresentUser>> {
    ///     cx.present_users(&Room(room)).await
    /// }
    /// # #[event(permission = AllowAny)]
    /// # fn said<'e>(&self, event: &'e Said) -> &'e str { &event.0 }
    /// # }
    /// ```
    // Boxed, so that the future of the action stays small, and a group without presence is reported once.
    pub fn present_users<'c, G: Presence>(&'c self, group: &'c G) -> BoxFuture<'c, Result<Vec<PresentUser>>>
    where
        G::Consumer: Handler<User = U>,
    {
        Box::pin(async move {
            let call = self.action_call()?;
            let session = session::<G::Consumer, U>(call)?;
            check_key(&session.registry, group)?;
            // Held until the list is made, so that it is up to date although the group may have no members here.
            let hold = session.registry.hold_group(group).await?;
            if let Some(GroupHold { partition, presence: Some(presence), .. }) = &hold {
                let user_ids: Vec<_> = partition.remote_users(&presence.id).into_keys().collect();
                // Otherwise the list fails, and nothing is loaded for it.
                if user_ids.len() <= session.max_present_users && !partition.has_unknown_users() {
                    presence.users.wait_for_loads(user_ids).await;
                }
            }
            let (users, epoch) = visible_users(session, group, hold.as_ref()).await?;
            call.with_side_effects(|effects| effects.record_list(epoch));
            Ok(users)
        })
    }

    /// Returns the number of users that [`present_users`](Context::present_users) lists: those that this connection may see.
    ///
    /// # Errors
    ///
    /// As [`present_users`](Context::present_users).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future has no effect.
    pub fn present_user_count<'c, G: Presence>(&'c self, group: &'c G) -> BoxFuture<'c, Result<usize>>
    where
        G::Consumer: Handler<User = U>,
    {
        Box::pin(async move { Ok(self.present_users(group).await?.len()) })
    }
}

/// Returns the users of a group that the viewer may see, and the epoch of the viewer in which all were evaluated.
async fn visible_users<G: Group>(
    viewer: &Arc<Session<G::Consumer>>,
    group: &G,
    hold: Option<&GroupHold<G::Consumer>>,
) -> Result<(Vec<PresentUser>, Epoch)> {
    let (mut overtaken, mut evaluation) = (0, None);
    loop {
        evaluation = evaluation.or_else(|| viewer.registry.pending_raises.wait_for(overtaken));
        overtaken += 1;
        // Read before the scope and before the evaluation, so that a change in between shows.
        let epoch = viewer.send_queue.epoch();
        let visible = evaluate(viewer, group, hold).await?;
        if viewer.send_queue.epoch() == epoch {
            return Ok((visible, epoch));
        }
        // The viewer's rights have changed meanwhile. Yields, so that the time limit of the action applies.
        tokio::task::yield_now().await;
    }
}

/// Returns the users of a group that the viewer may see, all at one time: once the grants are loaded, nothing waits.
async fn evaluate<G: Group>(
    viewer: &Session<G::Consumer>,
    group: &G,
    hold: Option<&GroupHold<G::Consumer>>,
) -> Result<Vec<PresentUser>> {
    let Some(scope) = viewer.scope() else { return Ok(Vec::new()) };
    let mut subscriber = Subscriber::new(&*scope);
    loop {
        let users = list_users(viewer, group, hold)?;
        let mut hidden = HiddenMembers::default();
        // One turn of the connection has as many evaluations as a publication has.
        viewer.pacer.record_deliveries(users.len());
        if let Some(visible) = evaluate_each(viewer, group, &subscriber, &users, &mut hidden) {
            hidden.report::<G>(&viewer.registry.telemetry);
            return Ok(visible);
        }
        subscriber.load().await?;
    }
}

/// Returns the users of a group, sorted by id.
///
/// # Errors
///
/// 409 if there are more than the limit.
fn list_users<G: Group>(
    viewer: &Session<G::Consumer>,
    group: &G,
    hold: Option<&GroupHold<G::Consumer>>,
) -> Result<Vec<RosterUser<G::Consumer>>> {
    let presence = hold.and_then(|hold| Some((&hold.partition, hold.presence.as_ref()?)));
    let max_users = if presence.is_some_and(|(partition, _)| partition.has_unknown_users()) {
        None
    } else {
        Some(viewer.max_present_users)
    };
    let users = match (viewer.registry.group_table::<G>().members(group), presence) {
        (Some(list), _) => {
            list.attach_remote_users();
            max_users.and_then(|max_users| list.users(max_users))
        }
        (None, Some((partition, presence))) => {
            let users = partition.remote_users(&presence.id);
            max_users.filter(|max_users| users.len() <= *max_users).map(|_| {
                let scopes = presence.users.scopes(users.keys().cloned());
                let user = |((id, connections), scope)| RosterUser { id, scope, connections };
                users.into_iter().zip(scopes).map(user).collect()
            })
        }
        (None, None) => Some(Vec::new()),
    };
    let mut users = users.ok_or_else(|| {
        let detail = "The group has more users than can be listed.";
        Error::new(StatusCode::CONFLICT, "too_many_users", detail)
    })?;
    users.sort_unstable_by(|one, other| one.id.cmp(&other.id));
    Ok(users)
}

/// Returns those of the users that the viewer may see, or `None` if grants must be loaded first.
fn evaluate_each<G: Group>(
    viewer: &Session<G::Consumer>,
    group: &G,
    subscriber: &Subscriber<'_, <G::Consumer as Handler>::User>,
    users: &[RosterUser<G::Consumer>],
    hidden: &mut HiddenMembers,
) -> Option<Vec<PresentUser>> {
    let mut visible = Vec::new();
    for RosterUser { id, scope, connections } in users {
        if may_see(group, viewer, subscriber, scope.user(), hidden)? {
            visible.push(PresentUser { user_id: id.to_string(), connections: *connections });
        }
    }
    Some(visible)
}
