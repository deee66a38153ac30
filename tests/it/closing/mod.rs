//! `cx.close`: the connection closes after the last reply of the action, whatever that is, and nothing begins after it.

mod faults;
mod messages;
mod rights;
mod socket;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::{Stream, StreamExt, stream};
use portcullis::testing::{Client, connect};
use portcullis::{
    AllowAny, CloseCode, Context, Disconnect, Endpoint, Error, Event, FromContext, Group, Handler, Limits, NoReply,
    Permission, PermissionContext, Result, Streamed, consumer,
};

use crate::common::limits::without_heartbeat;
use crate::common::progress::Progress;
use crate::common::{Member, member};

const GOODBYE: CloseCode = CloseCode::new(4000);
const LATER: CloseCode = CloseCode::new(4001);

#[derive(Event)]
struct Said(String);

#[derive(Debug, Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Lounge, permission = AllowAny, publish = AllowAny, events(Said))]
struct Room;

struct NotDenied;

impl Permission<Lounge> for NotDenied {
    async fn has_permission(&self, lounge: &Lounge, _: &PermissionContext<'_, Member>) -> Result<bool> {
        Ok(!lounge.0.is_denied.load(Ordering::SeqCst))
    }
}

/// Never answers.
struct Hangs;

impl Permission<Lounge> for Hangs {
    async fn has_permission(&self, lounge: &Lounge, _: &PermissionContext<'_, Member>) -> Result<bool> {
        lounge.0.started.add_permits(1);
        std::future::pending().await
    }
}

/// An extractor that closes the connection and refuses.
struct Closes;

impl FromContext<Lounge> for Closes {
    async fn from_context(_: &Lounge, cx: &Context<'_, <Lounge as Handler>::User>) -> Result<Self> {
        cx.close(GOODBYE, "extracted")?;
        Err(Error::bad_request("no"))
    }
}

struct Lounge(Arc<Progress>);

#[consumer(user = Member)]
impl Lounge {
    #[disconnect]
    async fn disconnect(&self, cx: &Disconnect<'_, Member>) {
        self.0.record_disconnect(cx, cx.left::<Room>());
    }

    #[authenticate]
    async fn renew(&self, cx: &Context<'_, Member>, is_valid: bool) -> Result<Option<Member>> {
        cx.close(GOODBYE, "authenticated")?;
        Ok(is_valid.then(|| member(1, &[])))
    }

    #[event(permission = AllowAny)]
    fn said<'e>(&self, event: &'e Said) -> &'e str {
        &event.0
    }

    #[action(permission = AllowAny)]
    async fn ping(&self) {}

    #[action(permission = AllowAny)]
    async fn note(&self, text: String) {
        self.0.record(text);
    }

    #[action(permission = AllowAny)]
    async fn enter(&self, cx: &Context<'_, Member>) -> Result<()> {
        cx.join(Room).await
    }

    #[action(permission = AllowAny)]
    async fn say(&self, cx: &Context<'_, Member>, text: String) -> Result<()> {
        cx.publish(Room, Said(text)).await
    }

    #[action(permission = AllowAny)]
    async fn quit(&self, cx: &Context<'_, Member>) -> Result<()> {
        cx.close(GOODBYE, "goodbye")
    }

    #[action(permission = AllowAny)]
    async fn quit_with(&self, cx: &Context<'_, Member>, reason: String) -> Result<()> {
        cx.close(CloseCode::NORMAL, &reason)
    }

    #[action(permission = AllowAny)]
    async fn quit_silently(&self, cx: &Context<'_, Member>) -> Result<NoReply> {
        cx.close(GOODBYE, "goodbye")?;
        Ok(NoReply)
    }

    #[action(permission = AllowAny, detached)]
    async fn quit_detached(&self, cx: &Context<'_, Member>) -> Result<()> {
        cx.close(GOODBYE, "goodbye")
    }

    #[action(permission = AllowAny, blocking)]
    fn quit_blocking(&self, cx: &Context<'_, Member>) -> Result<()> {
        cx.close(GOODBYE, "goodbye")
    }

    /// Sends two values, and fails then if it is to.
    #[action(permission = AllowAny)]
    async fn quit_streaming(
        &self,
        cx: &Context<'_, Member>,
        fails: bool,
    ) -> Result<Streamed<impl Stream<Item = Result<u8>> + use<>>> {
        cx.close(GOODBYE, "goodbye")?;
        let end = stream::iter(fails.then(|| Err(Error::bad_request("no"))));
        Ok(Streamed(stream::iter([Ok(1), Ok(2)]).chain(end)))
    }

    #[action(permission = AllowAny, detached)]
    async fn quit_streaming_detached(
        &self,
        cx: &Context<'_, Member>,
        fails: bool,
    ) -> Result<Streamed<impl Stream<Item = Result<u8>> + use<>>> {
        self.quit_streaming(cx, fails).await
    }

    #[action(permission = NotDenied)]
    async fn quit_waiting(&self, cx: &Context<'_, Member>) -> Result<()> {
        cx.close(GOODBYE, "goodbye")?;
        self.0.wait().await;
        cx.publish(Room, Said("late".to_owned())).await
    }

    /// Adds another permit to `started` when it ends.
    #[action(permission = NotDenied, detached)]
    async fn quit_waiting_detached(&self, cx: &Context<'_, Member>, code: u16) -> Result<()> {
        cx.close(CloseCode::new(code), "goodbye")?;
        self.0.wait().await;
        self.0.started.add_permits(1);
        Ok(())
    }

    #[action(permission = AllowAny)]
    async fn quit_and_fail(&self, cx: &Context<'_, Member>) -> Result<()> {
        cx.join(Room).await?;
        cx.publish(Room, Said("discarded".to_owned())).await?;
        cx.close(GOODBYE, "goodbye")?;
        Err(Error::conflict("no"))
    }

    #[action(permission = AllowAny)]
    async fn quit_and_panic(&self, cx: &Context<'_, Member>) -> Result<()> {
        cx.close(GOODBYE, "goodbye")?;
        panic!("an action that panics");
    }

    #[action(permission = AllowAny)]
    async fn quit_and_hang(&self, cx: &Context<'_, Member>) -> Result<()> {
        cx.close(GOODBYE, "goodbye")?;
        std::future::pending().await
    }

    #[action(permission = AllowAny)]
    async fn quit_by_extractor(&self, #[extract] _closes: Closes) {}

    #[action(permission = AllowAny)]
    async fn quit_twice(&self, cx: &Context<'_, Member>) -> Result<()> {
        cx.close(GOODBYE, "goodbye")?;
        cx.close(LATER, "later")
    }

    /// Joins, publishes and closes.
    #[action(permission = AllowAny)]
    async fn quit_and_join(&self, cx: &Context<'_, Member>) -> Result<()> {
        cx.close(GOODBYE, "goodbye")?;
        cx.join(Room).await?;
        cx.publish(Room, Said("joined".to_owned())).await
    }

    #[action(permission = Hangs, detached)]
    async fn hang_detached(&self) {
        self.0.record("begun");
    }

    #[action(permission = AllowAny, detached)]
    async fn wait_detached(&self, cx: &Context<'_, Member>) -> Result<()> {
        self.0.wait().await;
        cx.publish(Room, Said("detached".to_owned())).await
    }

    #[action(permission = AllowAny)]
    async fn wait(&self, cx: &Context<'_, Member>) -> Result<()> {
        self.0.wait().await;
        cx.publish(Room, Said("waited".to_owned())).await
    }

    /// Has no reply, and adds another permit to `started` when it ends.
    #[action(permission = AllowAny)]
    async fn wait_silently(&self) -> NoReply {
        self.0.wait().await;
        self.0.started.add_permits(1);
        NoReply
    }

    /// A reply that is larger than the buffers of a socket.
    #[action(permission = AllowAny)]
    async fn quit_at_length(&self, cx: &Context<'_, Member>) -> Result<String> {
        cx.close(GOODBYE, "goodbye")?;
        Ok("x".repeat(15 * 1024 * 1024))
    }
}

fn lounge_with(limits: Limits) -> (Arc<Progress>, Endpoint<Lounge>) {
    let state = Progress::new();
    (state.clone(), portcullis::websocket(Lounge(state)).limits(limits))
}

fn lounge() -> (Arc<Progress>, Endpoint<Lounge>) {
    lounge_with(Limits { action_timeout: Duration::from_secs(5), ..without_heartbeat() })
}

async fn open(lounge: &Endpoint<Lounge>, id: u32) -> Client {
    let mut client = connect(lounge).user(member(id, &[])).open().await.unwrap();
    assert_eq!(client.call("ping").await.status(), 200);
    client
}

fn message(action: &str) -> String {
    format!(r#"{{"action":"{action}","text":"{action}","request_id":1}}"#)
}

fn send_all(client: &mut Client, actions: &[&str]) {
    for action in actions {
        client.send(message(action));
    }
}

/// Asserts that the connection is closed by `GOODBYE` and that nothing follows.
async fn assert_goodbye(client: &mut Client, state: &Progress) {
    assert_eq!((client.closed().await, client.close_reason()), (4000, Some("goodbye")));
    state.disconnected.notified().await;
    client.expect_silence().await;
}

#[tokio::test(start_paused = true)]
async fn connection_closes_after_the_reply() {
    for action in ["quit", "quit_detached", "quit_blocking"] {
        let (state, lounge) = lounge();
        let mut client = open(&lounge, 1).await;
        client.send(message(action));
        assert_eq!(client.reply().await.status(), 200, "{action}");
        assert_goodbye(&mut client, &state).await;
        assert_eq!(state.log(), ["disconnected: 4000, left []"], "{action}");
    }
}

#[tokio::test(start_paused = true)]
async fn connection_closes_without_a_reply_after_a_silent_action() {
    let (state, lounge) = lounge();
    let mut client = open(&lounge, 1).await;
    client.send(message("quit_silently"));
    assert_goodbye(&mut client, &state).await;
}

#[tokio::test(start_paused = true)]
async fn connection_closes_after_the_last_reply_of_a_stream() {
    for action in ["quit_streaming", "quit_streaming_detached"] {
        for (fails, status) in [(false, 200), (true, 400)] {
            let (state, lounge) = lounge();
            let mut client = open(&lounge, 1).await;
            client.send(format!(r#"{{"action":"{action}","fails":{fails}}}"#));
            let replies = [client.reply().await, client.reply().await, client.reply().await];
            assert_eq!(replies.map(|reply| reply.status()), [200, 200, status], "{action}");
            assert_goodbye(&mut client, &state).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn connection_closes_after_an_authentication_that_is_accepted_or_not() {
    for (is_valid, status) in [(true, 204), (false, 403)] {
        let (state, lounge) = lounge();
        let mut client = open(&lounge, 1).await;
        assert_eq!(client.call("authenticate").with("is_valid", is_valid).await.status(), status);
        assert_eq!((client.closed().await, client.close_reason()), (4000, Some("authenticated")));
        state.disconnected.notified().await;
    }
}

#[tokio::test(start_paused = true)]
async fn reason_is_cut_at_123_bytes() {
    for (reason, sent) in
        [("x".repeat(123), "x".repeat(123)), ("é".repeat(100), "é".repeat(61)), (String::new(), String::new())]
    {
        let (_, lounge) = lounge();
        let mut client = open(&lounge, 1).await;
        assert_eq!(client.call("quit_with").with("reason", reason).await.status(), 200);
        assert_eq!((client.closed().await, client.close_reason()), (1000, Some(&*sent)));
    }
}

#[tokio::test(start_paused = true)]
async fn publications_go_out_and_a_join_ends_with_the_connection() {
    let (state, lounge) = lounge();
    let (mut other, mut client) = (open(&lounge, 2).await, open(&lounge, 1).await);
    assert_eq!(other.call("enter").await.status(), 200);
    client.send(message("quit_and_join"));
    assert_eq!(client.reply().await.status(), 200);
    assert_goodbye(&mut client, &state).await;
    assert_eq!(other.event().await.data(), "joined");
    assert_eq!(state.log(), ["disconnected: 4000, left [Room]"]);
    lounge.publisher().publish(&Room, Said("after".to_owned()));
    assert_eq!(other.event().await.data(), "after");
    assert_eq!(
        lounge.publisher().counters().delivered,
        2,
        "the other connection received both, the closed one nothing"
    );
}
