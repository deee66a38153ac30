//! Joining, leaving and publishing from an action, and joining from `#[connect]`.

use std::any::Any;
use std::sync::Arc;

use super::event::Emits;
use super::join::{Carries, Group};
use super::seat::Seat;
use crate::error::{Error, Result};
use crate::message::Effect;
use crate::scope::{Call, Connect, Context, Handler, User};

impl<U: User> Context<'_, U> {
    /// Joins a group, if its permission lets this connection in; else its refusal. 409 where the connection is in more
    /// groups than [`Limits::groups`](crate::Limits::groups) allows.
    ///
    /// It takes effect when the action has ended well and its reply is on its way, and not at all after an error.
    pub async fn join<G: Group>(&self, group: G) -> Result<()>
    where
        G::Consumer: Handler<User = U>,
    {
        join(self.acting()?, group).await
    }

    /// Leaves a group. After the reply of this action no event of it follows; after an error nothing has changed.
    pub fn leave<G: Group>(&self, group: G) -> Result<()>
    where
        G::Consumer: Handler<User = U>,
    {
        let call = self.acting()?;
        let seat = seat::<G, U>(call)?.clone();
        let (again, same) = (seat.clone(), group.clone());
        call.then(Effect::Before(Box::new(move || seat.hub.leave(&seat, &group))));
        // What the same action has joined before is left too.
        call.then(Effect::After(Box::new(move || again.hub.leave(&again, &same))));
        Ok(())
    }

    /// Publishes an event to a group: each member gets it whom the event's permission lets see it, this connection among
    /// them.
    ///
    /// It goes out when the action has ended well and its reply is on its way, and not at all after an error.
    pub fn publish<G, E>(&self, group: G, event: E) -> Result<()>
    where
        G: Carries<E>,
        G::Consumer: Handler<User = U> + Emits<E>,
        E: Send + Sync + 'static,
    {
        publish(self.acting()?, group, event, false)
    }

    /// The same to everybody but this connection.
    pub fn publish_to_others<G, E>(&self, group: G, event: E) -> Result<()>
    where
        G: Carries<E>,
        G::Consumer: Handler<User = U> + Emits<E>,
        E: Send + Sync + 'static,
    {
        publish(self.acting()?, group, event, true)
    }
}

impl<U: User> Connect<'_, U> {
    /// Joins a group, if its permission lets this connection in; else its refusal. For `#[connect]`: it takes effect when
    /// that has ended well.
    pub async fn join<G: Group>(&self, group: G) -> Result<()>
    where
        G::Consumer: Handler<User = U>,
    {
        join(self.call(), group).await
    }
}

async fn join<G: Group, U: User>(call: &Call<'_, U>, group: G) -> Result<()>
where
    G::Consumer: Handler<User = U>,
{
    let seat = seat::<G, U>(call)?;
    let asked_in = seat.mailbox.epoch();
    group.may_join(&seat.consumer, call).await?;
    // One that it is in already needs no room.
    let place = if seat.is_in(&group) { None } else { Some(seat.reserve()?) };
    let seat = seat.clone();
    call.then(Effect::After(Box::new(move || seat.enter(asked_in, || seat.hub.enter(&seat, group, place)))));
    Ok(())
}

fn publish<G, E, U>(call: &Call<'_, U>, group: G, event: E, to_others: bool) -> Result<()>
where
    G: Carries<E>,
    G::Consumer: Handler<User = U> + Emits<E>,
    E: Send + Sync + 'static,
    U: User,
{
    let seat = seat::<G, U>(call)?.clone();
    let except = to_others.then_some(seat.id);
    call.then(Effect::After(Box::new(move || seat.hub.publish(&[group], event, except))));
    Ok(())
}

/// The connection's seat among those of the group's consumer.
fn seat<'c, G: Group, U>(call: &Call<'c, U>) -> Result<&'c Arc<Seat<G::Consumer>>>
where
    G::Consumer: Handler<User = U>,
{
    let seat = call.seat().ok_or_else(|| Error::internal("a permission at the door has no groups"))?;
    <dyn Any>::downcast_ref(seat)
        .ok_or_else(|| Error::internal(format!("`{}` is a group of another consumer's connections", G::NAME)))
}
