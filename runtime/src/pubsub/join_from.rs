//! Joining a group from a position in its history.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use serde::Serialize;
use tokio::task::yield_now;

use super::encoding_check::check_key;
use super::group::{Group, KeepsHistory};
use super::group_evaluation::{GroupAccess, authorize};
use super::group_hold::encode_key;
use super::history_feed::log_of;
use super::join_request::{join_effect, session};
use super::position::{Position, PositionKey};
use super::resume::{Replay, ReplayedEvent, Resume};
use crate::broker::{EventMessage, LogContents, LogId, LogPosition, Target, Undeliverable, unix_millis};
use crate::consumer::{Consumer, EventDescriptor};
use crate::context::{Call, Context, Handler, SideEffects, User};
use crate::error::{Error, Result};
use crate::log::{Cause, Truncated};
use crate::message::RequestId;
use crate::panic::{catch_unwind, log_entry};
use crate::session::session::Session;

/// What a connection has resumed. Returned by [`Context::join_from`]; a reply of this type is
/// `{"recovered":true,"position":"…"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Resumed {
    /// Whether every event after the given position is replayed, as far as the user may see it. If not, none is, and the client
    /// loads what it shows.
    pub recovered: bool,
    /// The position after which events follow, the replayed ones included. A client that has received no event yet sends it next
    /// time. `None` if the history could not be read, for example because the broker cannot be reached.
    pub position: Option<Position>,
}

/// The number of events that are decoded before other tasks run.
const DECODED_AT_ONCE: usize = 32;

/// Decodes the events of the log of a group. `None` if one of them cannot be decoded, is from before `since`, or is of another
/// group, or if too many wait to be replayed to the session.
async fn decode_events<G: Group>(
    session: &Session<G::Consumer>,
    (log, key): (LogId, Option<Arc<PositionKey>>),
    (group_key, group_name): (&[u8], Option<Arc<str>>),
    contents: &LogContents,
    since: Option<SystemTime>,
) -> Option<Vec<ReplayedEvent<G::Consumer>>> {
    // Rounded up, because the times of events are rounded down.
    let since = since.map_or(0, |since| unix_millis(since + Duration::from_nanos(999_999)));
    let expected_target = Target::Groups { name: G::NAME, fingerprint: G::FINGERPRINT, keys: vec![group_key] };
    let replay = Replay::<G::Consumer> {
        key,
        log,
        group_name,
        session: session.id,
        budget: session.replay_budget().clone(),
        events: Mutex::new(Some(Vec::new())),
    };
    for (index, logged) in contents.messages.as_ref()?.iter().enumerate() {
        if index % DECODED_AT_ONCE == DECODED_AT_ONCE - 1 {
            yield_now().await;
        }
        if logged.received_at < since {
            return None;
        }
        let mut message = EventMessage::decode(&logged.message).ok()?;
        message.position = Some(LogPosition { epoch: contents.end.epoch, sequence: logged.sequence });
        let is_meant =
            |event: &&EventDescriptor| event.type_name == message.event && event.fingerprint == message.fingerprint;
        // The broker may have put an event of another group into the log.
        let event = G::Consumer::EVENTS.iter().find(is_meant).filter(|_| message.target == expected_target);
        let received = event.map_or(Err(Undeliverable::UnknownType), |event| (event.receive)(&replay, &message));
        if let Err(error) = received {
            let event = Truncated::new(message.event);
            log_entry!(
                WARN,
                ?event,
                ?error,
                "history not replayed: an event of it is unknown here, or cannot be decoded"
            );
            return None;
        }
        if replay.is_full() {
            log_entry!(
                INFO,
                group = G::NAME,
                "history not replayed: too many events wait to be replayed to the connection"
            );
            return None;
        }
    }
    replay.events.into_inner().ok()?
}

/// Authorizes a join, or a subscription under `id`, reads the events after a position, and adds the join to the side effects of
/// the call.
async fn join_from<G: KeepsHistory, U: User>(
    call: &Call<'_, U>,
    group: G,
    id: Option<RequestId>,
    position: Option<Position>,
) -> Result<Resumed>
where
    G::Consumer: Handler<User = U>,
{
    let session = session::<G::Consumer, U>(call)?;
    let evaluation_epoch = authorize(call, session, &group, GroupAccess::Join).await?;
    check_key(&session.registry, &group)?;
    let registry = &session.registry;
    let log = log_of(&group)?.ok_or_else(|| Error::internal("bug: a group with a history has no log"))?;
    let user_id = call.scope().user().map(|user| user.id().into_owned());
    let since = group.history_since(&session.consumer, call.scope()).await?;
    let hold = registry.hold_group(&group).await?;
    // Before the events of other machines are looked for in it.
    registry.group_table::<G>();
    let history = registry.history();
    let max_events = G::HISTORY.map_or(0, |history| usize::try_from(history.max_events).unwrap_or(usize::MAX));
    let handle = history.begin_resume(log, session.id, max_events.max(session.send_queue.max_events()));
    // Checked from here on: a join that takes effect later is recorded with what was begun.
    let is_joining = call.read_side_effects(|effects| effects.join_epoch(&group).is_some()) == Some(true);
    if is_joining || session.memberships.slot_count(&group) > 0 {
        let detail = "The connection is in the group already; leave it first.";
        return Err(Error::new(http::StatusCode::CONFLICT, "already_joined", detail));
    }
    let key = registry.position_key(&history);
    let after = position.as_ref().zip(key.as_ref()).and_then(|(position, key)| key.open(log.name(), position));
    let contents = match registry.read_log(log, after).await {
        Ok(contents) => Some(contents),
        Err(error) => {
            log_entry!(WARN, group = G::NAME, cause = ?Cause::new(&error), "history not replayed: it cannot be read");
            None
        }
    };
    let name = catch_unwind(|| group.public_name()).ok().flatten().map(Arc::from);
    let replayed = match after.and(contents.as_ref()) {
        Some(contents) => {
            let group_key = G::CODEC.map_or(Ok(Vec::new()), |codec| encode_key(&codec, &group))?;
            decode_events::<G>(session, (log, key.clone()), (&group_key, name), contents, since).await
        }
        None => None,
    };
    let end = contents.map(|contents| contents.end);
    // A client that loses this connection before the first event has had none of those that are replayed.
    let position = after.filter(|_| replayed.as_ref().is_some_and(|events| !events.is_empty())).or(end);
    let seal = |position| key.as_ref().and_then(|key| key.seal(log.name(), position));
    let resumed = Resumed { recovered: replayed.is_some(), position: position.and_then(seal) };
    let resume = Resume { handle, user_id, end, replayed: replayed.unwrap_or_default() };
    let freed_slots = call.read_side_effects(SideEffects::freed_slots).unwrap_or(0);
    let effect = join_effect(session, (group, hold), id, (false, freed_slots), evaluation_epoch, Some(resume))?;
    call.with_side_effects(|effects| effects.push(effect));
    Ok(resumed)
}

impl<U: User> Context<'_, U> {
    /// Joins a group as [`join`](Context::join) does, and replays the events that the connection has missed since `position`.
    ///
    /// Each event of a group with a history carries a `position`, and so does the result. A client keeps the last one, and gives
    /// it when it has connected again. If all events since then are kept, `recovered` is `true`: they follow the reply, in
    /// order, those that the user may see by the rights of that moment, and then the events that are published from now on. If
    /// any of them is not kept any more, or is from before the time that `since` of the group's `history` returns, none is
    /// replayed, and `recovered` is `false`: the client loads what it shows. Without a position it is `false` too.
    ///
    /// In both cases the connection misses no event from `position` of the result on. An event of
    /// [`publish_to_others`](Context::publish_to_others) is not replayed to the connection that has published it, but to later ones
    /// of the same user.
    ///
    /// Replayed events wait until the client has read those before them, whatever the [`OverflowPolicy`](crate::OverflowPolicy). If
    /// they have more than 8 MiB in all, encoded, none is replayed. The connection closes with 1013, with or without the reply, if
    /// more events are published before the action ends than the history keeps, if the connection joins the group in another way
    /// meanwhile, or if its rights or its user change. The [events chapter](crate::guide::events#history) has more.
    ///
    /// # Errors
    ///
    /// - The errors of [`join`](Context::join), and that of the `since` function.
    /// - 409 `already_joined` if the connection is in the group, also if this action leaves it.
    /// - 500 `internal_error` when called by [`Load`](crate::Load) or in `#[authenticate]`, or if this connection does not
    ///   belong to the consumer of the group.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it completes, the group is not joined.
    ///
    /// # Examples
    ///
    /// ```standalone_crate
    /// # use portcullis::{AllowAny, Context, Event, Group, Position, Result, Resumed, User, consumer};
    /// # struct Member;
    /// # impl User for Member { fn id(&self) -> std::borrow::Cow<'_, str> { "7".into() } }
    /// # #[derive(Event)]
    /// # struct Said(String);
    /// #[derive(Clone, PartialEq, Eq, Hash, Group)]
    /// #[group(
    ///     consumer = Chat, permission = AllowAny, publish = members, events(Said),
    ///     history(events = 100, age = "10m", since = AllowAny),
    /// )]
    /// struct Room(u32);
    /// # struct Chat;
    ///
    /// # #[consumer(user = Member)]
    /// # impl Chat {
    /// #[action(permission = AllowAny)]
    /// async fn enter(&self, cx: &Context<'_, Member>, room: u32, position: Option<Position>) -> Result<Resumed> {
    ///     cx.join_from(Room(room), position).await
    /// }
    /// # #[event(permission = AllowAny)]
    /// # fn said<'e>(&self, event: &'e Said) -> &'e str { &event.0 }
    /// # }
    /// ```
    pub async fn join_from<G: KeepsHistory>(&self, group: G, position: Option<Position>) -> Result<Resumed>
    where
        G::Consumer: Handler<User = U>,
    {
        join_from(self.action_call()?, group, None, position).await
    }

    /// Joins a group under the `request_id` of this message as [`subscribe`](Context::subscribe) does, and replays the events
    /// that the connection has missed since `position`, as [`join_from`](Context::join_from) does.
    ///
    /// # Errors
    ///
    /// As [`subscribe`](Context::subscribe), 400 `missing_request_id` among them, and [`join_from`](Context::join_from).
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it completes, the subscription is not made.
    pub async fn subscribe_from<G: KeepsHistory>(&self, group: G, position: Option<Position>) -> Result<Resumed>
    where
        G::Consumer: Handler<User = U>,
    {
        let id = self.required_request_id()?;
        join_from(self.action_call()?, group, Some(id), position).await
    }
}
