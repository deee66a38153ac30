//! Blocking actions run on their own thread, after the same checks.

use std::sync::Arc;
use std::time::Duration;

use portcullis::testing::Client;

use crate::case::{Answer, Outcome};
use crate::script::{MAX_WAIT, Script};
use crate::timeouts::{answers, small_case};
use crate::{endpoint, open, silence_scripted_panics};

/// A timeout that is never reached.
const AMPLE: Duration = Duration::from_mins(1);
/// A timeout that is reached. Real time: a paused clock stands still while another thread works.
const SHORT: Duration = Duration::from_millis(30);

/// Connects to a consumer with a blocking action `get` and an async action `set`.
fn with_client<F: Future<Output = ()>>(time: Duration, test: impl FnOnce(Arc<Script>, Client) -> F) {
    silence_scripted_panics();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let (case, script) = (small_case(true), Arc::new(Script::new()));
        let client = open(&case, &endpoint(&case, &script, time)).await.unwrap();
        tokio::time::timeout(MAX_WAIT, test(script, client)).await.expect("an answer");
    });
}

const fn yes() -> crate::case::Answers {
    [(Answer::Yes, false); crate::case::LEAVES]
}

#[test]
fn only_blocking_actions_run_on_another_thread() {
    with_client(AMPLE, |script, mut client| async move {
        script.message(&yes(), Outcome::Data);
        for (action, at_home) in [("get", false), ("set", true), ("get", false)] {
            let reply = client.call(action).await;
            assert_eq!((reply.status(), reply.data()), (200, &at_home.into()), "{action}");
        }
        client.send(r#"{"action":"get","action":"get"}"#);
        assert_eq!(client.reply().await.code(), "repeated_key");
    });
}

#[test]
fn blocking_action_passes_the_same_checks_and_replies_alike() {
    with_client(AMPLE, |script, mut client| async move {
        for (first, second, outcome, wanted) in [
            (Answer::No, Answer::Yes, Outcome::Data, 403),
            (Answer::Yes, Answer::No, Outcome::Data, 403),
            (Answer::Error(429), Answer::Yes, Outcome::Data, 429),
            (Answer::Yes, Answer::Panic, Outcome::Data, 500),
            (Answer::Yes, Answer::Yes, Outcome::Created, 201),
            (Answer::Yes, Answer::Yes, Outcome::Error(409), 409),
            (Answer::Yes, Answer::Yes, Outcome::Error(503), 500),
            (Answer::Yes, Answer::Yes, Outcome::Panic, 500),
        ] {
            script.message(&answers(first, second), outcome);
            let reply = client.call("get").await;
            assert_eq!(reply.status(), wanted, "{first:?} {second:?} {outcome:?}: {reply:?}");
        }
        script.message(&yes(), Outcome::NoReply);
        client.send(r#"{"action":"get"}"#);
        client.expect_silence().await;
    });
}

#[test]
fn blocking_action_that_holds_its_thread_is_answered_with_408() {
    with_client(SHORT, |script, mut client| async move {
        script.message(&yes(), Outcome::Hold);
        let reply = client.call("get").await;
        assert_eq!((reply.status(), reply.code()), (408, "timeout"));
        script.message(&yes(), Outcome::Data);
        assert_eq!(client.call("set").await.status(), 200);
        script.release();
        assert_eq!(client.call("get").await.status(), 200);
    });
}

#[test]
fn check_of_a_blocking_action_that_never_ends_is_answered_with_500() {
    with_client(SHORT, |script, mut client| async move {
        let never = [answers(Answer::Never, Answer::Yes), answers(Answer::Yes, Answer::Never)];
        // Repeated: two timers may run, and neither may win by chance.
        for answers in never.iter().cycle().take(12) {
            script.message(answers, Outcome::Data);
            assert_eq!(client.call("get").await.status(), 500);
        }
    });
}
