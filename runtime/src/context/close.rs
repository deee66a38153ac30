//! Closing the connection from an action.

use super::{CloseCode, CloseRequest, Context};
use crate::error::Result;

/// The maximum length of the reason in a close frame, in bytes.
const MAX_REASON_BYTES: usize = 123;

impl<U> Context<'_, U> {
    /// Closes this connection after the last reply of the action. Clients act on the code; the reason is for people. It may
    /// have up to 123 bytes, and a longer one is truncated at a character boundary.
    ///
    /// The connection closes whatever that reply is, even if the action returns an error, panics or times out after this
    /// call, or if its caller has lost the right to it meanwhile: an action may send an error and close. All other side
    /// effects of an action that fails are discarded. What a successful action has published goes out. The action itself
    /// runs on; a second call in it has no effect. A `blocking` action that is still running when its time limit expires
    /// closes nothing.
    ///
    /// Nothing begins after an action that closes has ended: messages that the client has sent meanwhile are dropped. Detached
    /// actions that have begun run on, as after every [end of the
    /// connection](macro@crate::action#end-of-the-connection-and-cancellation). The reply is sent within
    /// [`Limits::send_timeout`](crate::Limits::send_timeout), and events that are queued behind it are dropped. If the
    /// connection ends earlier for another reason, this call has no effect.
    /// [`Disconnect::reason`](crate::Disconnect::reason) returns the code.
    ///
    /// In [`#[authenticate]`](macro@crate::authenticate) it closes after the reply too, whether the credentials were accepted
    /// or not. In `#[connect]`, return an error instead. To close at once, and without a reply, use
    /// [`Connections::disconnect`](crate::Connections::disconnect).
    ///
    /// # Errors
    ///
    /// 500 `internal_error` when called by [`Load`](crate::Load).
    ///
    /// # Examples
    ///
    /// ```standalone_crate
    /// use portcullis::testing::connect;
    /// use portcullis::{AllowAny, CloseCode, Context, Error, Result, consumer};
    ///
    /// const TOO_MANY_GUESSES: CloseCode = CloseCode::new(4000);
    ///
    /// struct Quiz;
    ///
    /// #[consumer]
    /// impl Quiz {
    ///     #[action(permission = AllowAny)]
    ///     async fn guess(&self, cx: &Context<'_, ()>, number: u32) -> Result<()> {
    ///         if number != 42 {
    ///             cx.close(TOO_MANY_GUESSES, "one guess only")?;
    ///             return Err(Error::bad_request("Wrong."));
    ///         }
    ///         cx.close(CloseCode::NORMAL, "")
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let mut client = connect(&portcullis::websocket(Quiz)).open().await.unwrap();
    /// assert_eq!(client.call("guess").with("number", 1).await.status(), 400);
    /// assert_eq!(client.closed().await, 4000);
    /// assert_eq!(client.close_reason(), Some("one guess only"));
    /// # }
    /// ```
    pub fn close(&self, code: CloseCode, reason: &str) -> Result<()> {
        let reason = reason[..reason.floor_char_boundary(MAX_REASON_BYTES)].into();
        self.action_call()?.with_side_effects(|effects| effects.close(CloseRequest { code, reason }));
        Ok(())
    }
}
