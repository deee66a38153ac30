//! Decides whether the user of a connection may publish to groups: by the `publish` expression, or by membership.

use std::sync::Arc;

use super::group::Group;
use super::group_evaluation::{GroupAccess, authorize};
use crate::consumer::PublishRule;
use crate::context::{Call, Epoch, Handler, User};
use crate::error::{Error, Result};
use crate::session::session::Session;

/// Evaluates for all of the groups, in one epoch, whether the current user of the session may publish to them.
pub(super) async fn authorize_publishing<G: Group, U: User>(
    call: &Call<'_, U>,
    session: &Arc<Session<G::Consumer>>,
    groups: &[G],
) -> Result<()>
where
    G::Consumer: Handler<User = U>,
{
    let (mut overtaken, mut evaluation) = (0, None);
    loop {
        evaluation = evaluation.or_else(|| session.registry.pending_raises.wait_for(overtaken));
        overtaken += 1;
        let epoch = session.send_queue.epoch();
        for group in groups {
            match G::PUBLISH {
                PublishRule::Members => authorize_member(call, session, group, epoch).await?,
                PublishRule::Expression(_) => _ = authorize(call, session, group, GroupAccess::Publish).await?,
            }
        }
        if session.send_queue.epoch() == epoch {
            return Ok(());
        }
        // Rights have changed meanwhile. Yields, so that the time limit of the action applies even if no leaf waits.
        tokio::task::yield_now().await;
    }
}

/// Returns an error unless the session is a member of the group, or joins it in this action, on the rights of `epoch`.
async fn authorize_member<G: Group, U: User>(
    call: &Call<'_, U>,
    session: &Arc<Session<G::Consumer>>,
    group: &G,
    epoch: Epoch,
) -> Result<()>
where
    G::Consumer: Handler<User = U>,
{
    match find_standing(call, session, group, epoch) {
        Standing::Member => Ok(()),
        // Boxed, because it is rare, and the futures of actions contain this one.
        Standing::Unverified => Box::pin(verify_member(call, session, group, epoch)).await,
        Standing::Outsider => Err(not_a_member()),
    }
}

/// Evaluates the group's permission in place of the revalidation that is pending, and checks that the membership has not
/// ended meanwhile.
async fn verify_member<G: Group, U: User>(
    call: &Call<'_, U>,
    session: &Arc<Session<G::Consumer>>,
    group: &G,
    epoch: Epoch,
) -> Result<()>
where
    G::Consumer: Handler<User = U>,
{
    authorize(call, session, group, GroupAccess::Publish).await?;
    match find_standing(call, session, group, epoch) {
        Standing::Member | Standing::Unverified => Ok(()),
        Standing::Outsider => Err(not_a_member()),
    }
}

fn not_a_member() -> Error {
    Error::denied().with_leaf("members")
}

/// The membership of a session in a group, with the joins and departures of the running action.
enum Standing {
    /// A member whose permission was evaluated on the rights of the epoch.
    Member,
    /// A member, but the group's permission has not been evaluated since rights have changed.
    Unverified,
    /// Not a member.
    Outsider,
}

/// Returns the standing of the session in the group. It may not reflect an epoch that began after `epoch` was read, so the
/// caller compares the epochs afterwards.
fn find_standing<G: Group, U: User>(
    call: &Call<'_, U>,
    session: &Session<G::Consumer>,
    group: &G,
    epoch: Epoch,
) -> Standing {
    // `None` unless it is a member.
    let is_verified = session.memberships.is_verified(group);
    let ended_slots = call.read_side_effects(|effects| effects.ended_slots(group)).unwrap_or(0);
    let is_leaving = ended_slots > 0 && ended_slots >= session.memberships.slot_count(group);
    let is_verified = is_verified.filter(|_| !is_leaving);
    if is_verified == Some(true) {
        return Standing::Member;
    }
    match call.read_side_effects(|effects| effects.join_epoch(group)).flatten() {
        Some(join_epoch) if join_epoch == epoch => Standing::Member,
        None if is_verified.is_none() => Standing::Outsider,
        _ => Standing::Unverified,
    }
}
