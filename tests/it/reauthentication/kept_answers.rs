//! Answers that are evaluated once per message belong to the user for whom they were evaluated.

use std::sync::Arc;

use portcullis::testing::connect;
use portcullis::{Context, FromContext, Permission, PermissionContext, Result, consumer};
use tokio::sync::Notify;

use super::{Member, member};

#[derive(Default)]
struct Poll {
    waiting: Arc<Notify>,
    resume: Arc<Notify>,
}

/// Holds while the caller has a vote left: anonymous callers do, user 7 does not.
struct HasVote;

impl Permission<Poll> for HasVote {
    const REEVALUATE: bool = false;

    async fn has_permission(&self, _: &Poll, cx: &PermissionContext<'_, Member>) -> Result<bool> {
        Ok(cx.user().is_none_or(|member| member.id != "7"))
    }
}

/// Lets the evaluation of a message wait, after its permissions and before its action starts.
struct Gate;

impl FromContext<Poll> for Gate {
    async fn from_context(poll: &Poll, cx: &Context<'_, Member>) -> Result<Gate> {
        if cx.user().is_none() {
            poll.waiting.notify_one();
            poll.resume.notified().await;
        }
        Ok(Gate)
    }
}

#[consumer(user = Member)]
impl Poll {
    #[authenticate]
    async fn log_in(&self, token: String) -> Result<Option<Member>> {
        Ok(Some(member(&token)))
    }

    #[action(permission = HasVote, detached)]
    async fn vote(&self, cx: &Context<'_, Member>, #[extract] _gate: Gate) -> Option<String> {
        cx.user().map(|member| member.id.clone())
    }
}

#[tokio::test(start_paused = true)]
async fn repeated_start_for_a_new_user_uses_no_answer_of_the_anonymous_one() {
    for (user, status) in [("7", 403), ("8", 200)] {
        let poll = Poll::default();
        let (waiting, resume) = (poll.waiting.clone(), poll.resume.clone());
        let mut client = connect(&portcullis::websocket(poll)).open().await.unwrap();
        client.send(r#"{"action":"vote"}"#);
        waiting.notified().await;
        assert_eq!(client.call("authenticate").with("token", user).await.status(), 204);
        resume.notify_one();
        assert_eq!(client.reply().await.status(), status, "{user}");
    }
}
