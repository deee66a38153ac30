//! Refusals: the client learns next to nothing; the log has user, action, route and leaf.

use std::io::Write;
use std::sync::{Arc, Mutex};

use portcullis::testing::Reply;
use tracing_subscriber::fmt::MakeWriter;

use crate::case::{Answer, Outcome};
use crate::log_capture::keep_enabled;
use crate::script::{SCRIPTED_PANIC, SECRET, Script};
use crate::timeouts::{answers, small_case};
use crate::{ACTION_TIMEOUT, endpoint, open, paused, silence_scripted_panics};

/// The lines of a log.
#[derive(Debug, Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Lines;

    fn make_writer(&self) -> Lines {
        self.clone()
    }
}

/// Calls `get` once per row, and passes its reply and its log to `check`.
fn logged(rows: &[(Answer, Answer, Outcome)], mut check: impl FnMut(usize, &Reply, &str)) {
    silence_scripted_panics();
    keep_enabled();
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt().with_writer(lines.clone()).with_ansi(false).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    paused(async {
        let (case, script) = (small_case(false), Arc::new(Script::new()));
        let mut client = open(&case, &endpoint(&case, &script, ACTION_TIMEOUT)).await.unwrap();
        for (at, (first, second, outcome)) in rows.iter().enumerate() {
            script.message(&answers(*first, *second), *outcome);
            lines.take();
            let reply = client.call("get").route("?x=1").await;
            check(at, &reply, &lines.take());
        }
    });
}

#[test]
fn refusal_log_names_the_leaf_and_the_reply_does_not() {
    let rows = [(Answer::No, Answer::Yes, Outcome::Data), (Answer::Yes, Answer::No, Outcome::Data)];
    logged(&rows, |at, reply, log| {
        let told = r#"{"errors":[{"code":"permission_denied","detail":"Permission denied."}],"data":null,"#;
        assert!(reply.text().starts_with(told), "{reply:?}");
        let wanted =
            [" INFO ", "refused", r#"user="7""#, r#"action="get""#, r#"route="""#, "status=403", ["L0", "L1"][at]];
        assert!(wanted.iter().all(|part| log.contains(part)) && log.lines().count() == 1, "{log}");
    });
}

#[test]
fn internal_error_is_logged_under_the_id_of_the_reply() {
    let rows = [
        (Answer::Error(500), Answer::Yes, Outcome::Data),
        (Answer::Yes, Answer::Panic, Outcome::Data),
        (Answer::Yes, Answer::Never, Outcome::Data),
        (Answer::Yes, Answer::Yes, Outcome::Error(500)),
        (Answer::Yes, Answer::Yes, Outcome::Panic),
    ];
    let wanted = [
        (Some("L0"), SECRET),
        (Some("L1"), SCRIPTED_PANIC),
        (Some("L1"), "took too long"),
        (None, SECRET),
        (None, SCRIPTED_PANIC),
    ];
    logged(&rows, |at, reply, log| {
        let (leaf, cause) = wanted[at];
        let id = reply.value()["errors"][0]["id"].as_str().expect("an id").to_owned();
        assert!(log.contains("ERROR") && log.contains(&id) && log.contains(cause), "{log}");
        assert_eq!(log.contains("leaf="), leaf.is_some(), "{log}");
        assert!(log.contains(leaf.unwrap_or_default()) && !reply.text().contains(cause), "{log}");
    });
}

#[test]
fn successful_or_failed_action_is_not_logged_as_a_refusal() {
    let rows = [(Answer::Yes, Answer::Yes, Outcome::Data), (Answer::Yes, Answer::Yes, Outcome::Error(409))];
    logged(&rows, |_, _, log| assert_eq!(log, ""));
}

#[test]
fn malformed_message_evaluates_nothing_and_the_connection_stays_open() {
    paused(async {
        let (case, script) = (small_case(false), Arc::new(Script::new()));
        let mut client = open(&case, &endpoint(&case, &script, ACTION_TIMEOUT)).await.unwrap();
        script.message(&answers(Answer::Yes, Answer::Yes), Outcome::Data);
        client.send_binary();
        let reply = client.reply().await;
        assert_eq!((reply.status(), reply.code()), (400, "binary_frame"));
        for (sent, code) in [
            ("get", "malformed_message"),
            (r#"["get"]"#, "malformed_message"),
            (r#"{"route":""}"#, "missing_action"),
            (r#"{"action":"get","route":5}"#, "invalid_route"),
        ] {
            client.send(sent);
            let reply = client.reply().await;
            assert_eq!((reply.status(), reply.code()), (400, code), "{sent}");
        }
        assert_eq!(script.take_log(), []);
        assert_eq!(client.call("get").await.status(), 200);
    });
}
