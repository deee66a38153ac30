//! Timeouts: the action timeout covers the permissions too, and the connection stays open.

use std::sync::Arc;
use std::time::Duration;

use portcullis::testing::Client;
use tokio::time::Instant;

use crate::case::{Action, Answer, Answers, Case, LEAVES, Level, Outcome, Tree};
use crate::script::{DELAY, Script};
use crate::{ACTION_TIMEOUT, endpoint, open, paused};

const YES: Answers = [(Answer::Yes, false); LEAVES];

/// A consumer with the permission `L0`, and an action `get` with `L1`.
pub(crate) fn small_case(blocking: bool) -> Case {
    let action = |name, blocking| Action { name, permission: Some(Tree::Leaf(1)), blocking };
    let actions = vec![action("get", blocking), action("set", false)];
    let root = Level { permission: Some(Tree::Leaf(0)), actions, routes: Vec::new() };
    Case { root, strict: None, logged_in: true, handshakes: Vec::new(), messages: Vec::new() }
}

/// The answers of all leaves, with these for the first two.
pub(crate) fn answers(first: Answer, second: Answer) -> Answers {
    let mut answers = YES;
    (answers[0].0, answers[1].0) = (first, second);
    answers
}

async fn connected(time: Duration) -> (Arc<Script>, Client) {
    let (case, script) = (small_case(false), Arc::new(Script::new()));
    let client = open(&case, &endpoint(&case, &script, time)).await.unwrap();
    (script, client)
}

#[test]
fn check_that_never_ends_is_answered_with_500() {
    paused(async {
        let (script, mut client) = connected(ACTION_TIMEOUT).await;
        for answers in [answers(Answer::Never, Answer::Yes), answers(Answer::Yes, Answer::Never)] {
            script.message(&answers, Outcome::Data);
            let start = Instant::now();
            let reply = client.call("get").await;
            assert_eq!((reply.status(), reply.code(), start.elapsed()), (500, "internal_error", ACTION_TIMEOUT));
            script.message(&YES, Outcome::Data);
            assert_eq!(client.call("get").await.status(), 200);
        }
    });
}

#[test]
fn action_that_never_ends_is_answered_with_408() {
    paused(async {
        let (script, mut client) = connected(ACTION_TIMEOUT).await;
        script.message(&YES, Outcome::Never);
        let start = Instant::now();
        let reply = client.call("get").await;
        assert_eq!((reply.status(), reply.code(), start.elapsed()), (408, "timeout", ACTION_TIMEOUT));
        script.message(&YES, Outcome::Data);
        assert_eq!(client.call("get").await.status(), 200);
    });
}

#[test]
fn checks_and_action_share_one_timeout() {
    // Enough for one delayed leaf, but not for two.
    let time = DELAY + Duration::from_millis(1);
    paused(async move {
        let (script, mut client) = connected(time).await;
        let (late, start) = ((Answer::Yes, true), Instant::now());
        let mut answers = YES;
        answers[0] = late;
        script.message(&answers, Outcome::Data);
        assert_eq!((client.call("get").await.status(), start.elapsed()), (200, DELAY));

        let start = Instant::now();
        script.message(&answers, Outcome::Never);
        assert_eq!((client.call("get").await.status(), start.elapsed()), (408, time));

        let start = Instant::now();
        answers[1] = late;
        script.message(&answers, Outcome::Data);
        assert_eq!((client.call("get").await.status(), start.elapsed()), (500, time));
    });
}

#[test]
fn messages_wait_for_the_one_that_times_out() {
    paused(async {
        let (script, mut client) = connected(ACTION_TIMEOUT).await;
        script.message(&answers(Answer::Never, Answer::Yes), Outcome::Data);
        for id in 1..=3 {
            client.send(format!(r#"{{"action":"get","request_id":{id}}}"#));
        }
        let start = Instant::now();
        for id in 1..=3_u32 {
            let reply = client.reply().await;
            assert_eq!((&reply.value()["request_id"], start.elapsed()), (&id.into(), ACTION_TIMEOUT * id));
        }
    });
}

#[test]
fn connect_check_that_never_ends_rejects_the_handshake() {
    paused(async {
        let mut case = small_case(false);
        case.strict = Some(Tree::Leaf(1));
        let script = Arc::new(Script::new());
        let endpoint = endpoint(&case, &script, ACTION_TIMEOUT);
        for (connect, action) in [
            (answers(Answer::Never, Answer::Yes), YES),
            (answers(Answer::Yes, Answer::Never), YES),
            (answers(Answer::Yes, Answer::NoOpinion), answers(Answer::Yes, Answer::Never)),
        ] {
            script.handshake(&crate::case::Handshake { connect, action });
            let start = Instant::now();
            assert_eq!(open(&case, &endpoint).await.err(), Some(500));
            assert_eq!(start.elapsed(), ACTION_TIMEOUT);
        }
    });
}
