//! The log of refusals and errors: one entry each, with user, action, route and leaf; the cause of an error is logged with
//! the id of its reply.

use portcullis::testing::connect;
use portcullis::{
    AllowAny, Context, Error, Event, Group, Handler, Permission, PermissionContext, Result, consumer, handler,
};

use crate::common::log_capture::LogCapture;
use crate::common::{HasRole, Member, member};

struct Logged {
    inner: Inner,
}

struct Inner;

struct Broken;

impl<H: Handler> Permission<H> for Broken {
    async fn has_permission(&self, _: &H, _: &PermissionContext<'_, H::User>) -> Result<bool> {
        Err(Error::internal("no database"))
    }
}

struct Panics;

impl<H: Handler> Permission<H> for Panics {
    async fn has_permission(&self, _: &H, _: &PermissionContext<'_, H::User>) -> Result<bool> {
        panic!("no memory")
    }
}

#[derive(Event)]
struct Said;

struct Neighbour;

#[consumer(user = Member)]
impl Neighbour {
    #[event(permission = AllowAny)]
    fn said(_event: &Said) -> &'static str {
        ""
    }
}

/// A group of another consumer with the same user type.
#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Neighbour, permission = AllowAny, publish = AllowAny, events(Said))]
struct NeighbourRoom;

#[consumer(user = Member)]
impl Logged {
    #[action(permission = AllowAny)]
    async fn join_neighbour(&self, cx: &Context<'_, Member>) -> Result<()> {
        cx.join(NeighbourRoom).await
    }

    #[action(permission = AllowAny)]
    async fn publish_to_neighbour(&self, cx: &Context<'_, Member>) -> Result<()> {
        cx.publish(NeighbourRoom, Said).await
    }

    #[action(permission = AllowAny)]
    async fn fine(&self) {}

    #[action(permission = "HasRole(\"a\") | Broken")]
    async fn broken(&self) {}

    #[action(permission = Panics)]
    async fn panics(&self) {}

    #[route("inner/{id}/")]
    fn inner(&self) -> &Inner {
        &self.inner
    }
}

#[handler(user = Member, permission = "HasRole(\"a\") & !HasRole(\"b\")")]
impl Inner {
    #[action]
    async fn act(&self) {}
}

async fn logged(roles: &[&'static str], frame: &str) -> (String, Vec<String>) {
    let log = LogCapture::start();
    let mut client =
        connect(&portcullis::websocket(Logged { inner: Inner })).user(member(5, roles)).open().await.unwrap();
    client.send(frame);
    let reply = client.reply().await.text().to_owned();
    let lines = log.take();
    (reply, lines)
}

#[tokio::test]
async fn refusal_log_names_user_action_route_and_leaf() {
    let (_, lines) = logged(&[], r#"{"action":"act","route":"inner/7/?x=1"}"#).await;
    let wanted = r#"INFO message=refused user="5" action="act" route="inner/7/" leaf="HasRole(\"a\")" status=403"#;
    assert_eq!(lines, [wanted]);
    let (_, lines) = logged(&["a", "b"], r#"{"action":"act","route":"inner/7/"}"#).await;
    assert!(lines.len() == 1 && lines[0].contains(r#"leaf="HasRole(\"b\")""#), "{lines:?}");
    let (_, lines) = logged(&["a"], r#"{"action":"fine"}"#).await;
    assert_eq!(lines, [r#"TRACE message=action started action="fine" route="""#]);
}

#[tokio::test]
async fn internal_error_log_has_its_cause_and_the_id_of_the_reply() {
    for (action, leaf, cause) in [("broken", "Broken", "no database"), ("panics", "Panics", "no memory")] {
        let (reply, lines) = logged(&[], &format!(r#"{{"action":"{action}"}}"#)).await;
        let reply: serde_json::Value = serde_json::from_str(&reply).unwrap();
        let id = reply["errors"][0]["id"].as_str().unwrap();
        assert_eq!(lines.len(), 1, "{lines:?}");
        for part in ["ERROR", id, &format!("leaf={leaf:?}"), cause, r#"user="5""#] {
            assert!(lines[0].contains(part), "{part}: {lines:?}");
        }
    }
}

#[tokio::test]
async fn group_of_another_consumer_is_refused_and_the_log_names_both_consumers() {
    for action in ["join_neighbour", "publish_to_neighbour"] {
        let (reply, log) = logged(&[], &format!("{{\"action\":\"{action}\"}}")).await;
        assert!(reply.contains("\"internal_error\""), "{reply}");
        let cause = "belongs to consumer `Logged`, so it cannot use a group or an event of consumer `Neighbour`";
        assert!(log.iter().any(|line| line.contains(cause)), "{log:#?}");
    }
}

#[tokio::test]
async fn client_text_is_escaped_and_truncated_in_the_log() {
    let long = "x".repeat(500);
    let frame = format!(r#"{{"action":"act\n{long}","route":"inner/\u001b[31m/"}}"#);
    let (_, lines) = logged(&[], &frame).await;
    assert_eq!(lines.len(), 1);
    assert!(!lines[0].contains('\n') && !lines[0].contains('\u{1b}') && lines[0].len() < 300, "{lines:?}");
}
