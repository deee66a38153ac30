//! The part of [`Endpoint`] that shares present users with other machines.

use std::future::Future;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::endpoint::Endpoint;
use crate::consumer::{Consumer, groups_of};
use crate::error::Result;
use crate::panic::log_entry;

impl<C: Consumer> Endpoint<C> {
    /// Shares the [present users](crate::guide::events#presence) of groups with the other machines of a
    /// [broker](Endpoint::broker), and sets the function that loads a user which is connected to another machine. Default: none;
    /// lists and announcements are about the users that are connected to the same machine, and `broker` logs a warning if the
    /// consumer has groups whose users are not shared.
    ///
    /// Machines tell each other the ids of users, never their rights. So the `presence` expression of a group, which is evaluated
    /// for each pair of viewer and member where the viewer is connected, needs the user of a member from the application's own
    /// source. The function gets an id as [`User::id`](crate::User::id) returns it, and returns the user with that id, or `None`
    /// if it does not exist (any more). The value stands for no connection: the expression should depend on nothing that differs
    /// between the connections of a user.
    ///
    /// A user is loaded when a group that has members here, or is listed here, has it on another machine, once for all groups. It
    /// is loaded again after a change of rights that concerns it was reported to any machine: `refresh_user` and `refresh_users`
    /// with its id, `refresh_role` with any role, and `refresh_all`; and when this machine evaluates everything anew because it is
    /// [cut off](crate::guide::scaling_out#a-machine-that-is-cut-off). Until then it is hidden. It is also loaded again, and shown
    /// meanwhile, when it connects after it was on no other machine. At most 32 users are loaded at the same time. Groups that are
    /// `local` are not shared.
    ///
    /// Call it before `broker`, on all machines.
    ///
    /// # Errors
    ///
    /// A user whose load fails, panics, takes longer than 5 seconds, or returns `None` or a user with another id, is hidden. It is
    /// loaded again after a second, and after twice the time with each further failure, at most a minute. The log has the first
    /// failure, and others when their number has doubled.
    ///
    /// # Panics
    ///
    /// Panics if the endpoint has a broker already.
    ///
    /// # Examples
    ///
    /// ```standalone_crate
    /// # use portcullis::{AllowAny, Endpoint, MemoryBroker, Result, User, consumer, websocket};
    /// # #[derive(Clone)]
    /// # struct Member { id: String }
    /// # impl User for Member { fn id(&self) -> std::borrow::Cow<'_, str> { self.id.as_str().into() } }
    /// # #[derive(Clone)]
    /// # struct Database;
    /// # impl Database { async fn member(&self, id: &str) -> Result<Option<Member>> { Ok(Some(Member { id: id.to_owned() })) } }
    /// # struct Chat;
    /// # #[consumer(user = Member)]
    /// # impl Chat { #[action(permission = AllowAny)] async fn ping(&self) {} }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// # let database = Database;
    /// let chat: Endpoint<Chat> = websocket(Chat)
    ///     .present_user_loader(move |id: String| {
    ///         let database = database.clone();
    ///         async move { database.member(&id).await }
    ///     })
    ///     .broker(MemoryBroker::new());
    /// # }
    /// ```
    #[must_use]
    pub fn present_user_loader<F, R>(mut self, load: F) -> Self
    where
        F: Fn(String) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Option<C::User>>> + Send + 'static,
    {
        assert!(self.registry.node.get().is_none(), "`present_user_loader` must be called before `broker`");
        self.load_present_user = Some(Arc::new(move |user_id| -> BoxFuture<'static, _> { Box::pin(load(user_id)) }));
        self
    }

    /// Shares the users of groups with other machines, or logs a warning if there are groups whose users are not shared.
    pub(super) fn share_present_users(&self) {
        if let Some(load) = &self.load_present_user {
            return self.registry.share_users(load.clone());
        }
        let groups = groups_of(C::NAME).into_iter().filter(|group| group.presence.is_some_and(|rule| !rule.is_local));
        let groups: Vec<&str> = groups.map(|group| group.name).collect();
        if !groups.is_empty() {
            log_entry!(
                WARN,
                consumer = C::NAME,
                ?groups,
                "present users are those of each machine; set `Endpoint::present_user_loader`, or write `local` in the groups"
            );
        }
    }
}
