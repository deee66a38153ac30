//! The built-in action `authenticate`: replaces the user of an open connection by one with fresh credentials.

use std::sync::Arc;

use http::StatusCode;

use super::dispatcher::{AUTHENTICATE, Dispatcher, is_authenticate};
use super::outcome::Outcome;
use super::refusal::refuse;
use super::report::panic_error;
use crate::consumer::Consumer;
use crate::context::{Authorized, Call, Scope, SideEffects, StartOutcome};
use crate::dialect::{Dialect, Native};
use crate::error::{Error, Result};
use crate::message::{Reply, Request};
use crate::panic::{catch_unwind, contain_future};
use crate::pubsub::NewUserJoins;
use crate::time::deadline;

impl<C: Consumer> Dispatcher<C> {
    /// Returns whether a frame is a message that calls `authenticate`.
    pub(crate) fn is_authentication(&self, text: &str) -> bool {
        // Parsed only if the text may contain the name, which may be written with escapes.
        if !C::AUTHENTICATES || !(text.contains(AUTHENTICATE) || text.contains('\\')) {
            return false;
        }
        let mut request = Request::default();
        Native::read(&mut request, text, self.request_limits).is_ok() && is_authenticate(&request.head)
    }

    /// Verifies the credentials of a message. If they are accepted, replaces the user and waits until the session has been
    /// revalidated.
    pub(super) async fn authenticate(&self, request: &Request<'_>, reply: &mut Reply) -> Outcome {
        let Ok(scope) = self.scope() else { return Outcome::SessionEnded };
        let joins = NewUserJoins::new(self.session.clone());
        let mut call = Call::new(&*scope, &request.head, &request.fields, &[], &[]).with_session(&joins);
        let changes_at_start = self.session.change_count();
        if self.session.send_queue.start_gate().try_start(None, || ()) == StartOutcome::Closed {
            return Outcome::SessionEnded;
        }
        let verification = contain_future(self.verify(&call, &joins));
        let renewal = match deadline(self.action_timeout, verification).await {
            Some(Ok(verified)) => verified.and_then(|(scope, side_effects)| {
                let renew = || Ok((self.session.renew(scope, changes_at_start)?, side_effects));
                catch_unwind(renew).unwrap_or_else(|panic| Err(panic_error(&panic)))
            }),
            Some(Err(panic)) => Err(panic_error(&panic)),
            None => Err(Error::timeout()),
        };
        // Taken whatever the outcome is: as after an action, the connection closes after a failure too.
        let close = call.take_side_effects().and_then(|mut effects| effects.take_close());
        match renewal {
            Ok((revalidation, mut side_effects)) => {
                // The user has been replaced, so the action timeout does not apply to the revalidation.
                revalidation.wait().await;
                self.session.registry.user_subscribed(self.session.user_id()).await;
                if self.session.is_closing() {
                    // The close code says why.
                    return Outcome::SessionEnded;
                }
                Native::begin(reply);
                // Cannot fail: the status is a success, and `()` is serialized as `null`.
                let _ = reply.data(StatusCode::NO_CONTENT, &());
                Native::finish(reply, &request.head.echo, None);
                if let Some(request) = close {
                    side_effects.get_or_insert_default().close(request);
                }
                Outcome::Authenticated { is_renewed: true, side_effects }
            }
            Err(error) => {
                refuse(&call, &error, reply);
                let side_effects = close.map(|request| {
                    let mut side_effects = Box::<SideEffects>::default();
                    side_effects.close(request);
                    side_effects
                });
                Outcome::Authenticated { is_renewed: false, side_effects }
            }
        }
    }

    /// Calls `#[authenticate]`, and authorizes the groups that it joins for the user that it returns. Returns the scope of
    /// that user and the joins.
    ///
    /// # Errors
    ///
    /// 429 if the limit of attempts is reached, 403 if the credentials identify no user, another user or have expired, and
    /// the errors of the method and of the joins.
    async fn verify(
        &self,
        call: &Call<'_, C::User>,
        joins: &NewUserJoins<C>,
    ) -> Result<(Arc<Scope<C::User>>, Option<Box<SideEffects>>)> {
        if let Some(limiter) = &self.authenticate_limiter {
            limiter.try_acquire()?;
        }
        let user = self.session.consumer().authenticate(call, Authorized::root()).await?;
        // Refused like the credentials of another user.
        let scope = self.session.renewed_scope(user.ok_or_else(Error::denied)?)?;
        let side_effects = joins.authorize(&scope).await?;
        Ok((scope, side_effects))
    }
}
