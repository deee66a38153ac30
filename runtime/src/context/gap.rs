//! The context of `#[gap]`: the partitions of which events may have been lost.

use std::any::Any;
use std::fmt;
use std::marker::PhantomData;

use super::Handler;

/// Events of other machines that may have been lost, as [`#[gap]`](macro@crate::gap) receives it. `C` is the consumer.
///
/// ```standalone_crate
/// use portcullis::{AllowAny, Event, Gap, Group, MemoryBroker, consumer, websocket};
///
/// /// Tells a client to load what it shows again.
/// #[derive(Event)]
/// struct Outdated;
///
/// #[derive(Clone, PartialEq, Eq, Hash, Group)]
/// #[group(consumer = Chat, permission = AllowAny, publish = members, events(Outdated), public_name = "rooms/{0}")]
/// struct Room(u32);
///
/// struct Chat;
///
/// #[consumer]
/// impl Chat {
///     #[gap]
///     async fn on_gap(&self, cx: &Gap<'_, Self>) {
///         for room in cx.groups::<Room>() {
///             cx.publish_here(&room, Outdated).await;
///         }
///     }
///
///     #[event(permission = AllowAny)]
///     fn outdated(_: &Outdated) -> &'static str { "load again" }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let chat = websocket(Chat).broker(MemoryBroker::new());
/// # }
/// ```
pub struct Gap<'a, C> {
    /// Where events may have been lost: type-erased, because this module cannot name the types.
    loss: &'a (dyn Any + Send + Sync),
    consumer: PhantomData<fn(C)>,
}

impl<'a, C: Handler> Gap<'a, C> {
    pub(crate) fn new(loss: &'a (dyn Any + Send + Sync)) -> Gap<'a, C> {
        Gap { loss, consumer: PhantomData }
    }

    /// Returns where events may have been lost.
    pub(crate) fn loss(&self) -> &'a (dyn Any + Send + Sync) {
        self.loss
    }
}

impl<C> fmt::Debug for Gap<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gap").finish_non_exhaustive()
    }
}
