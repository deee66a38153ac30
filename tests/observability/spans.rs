//! Spans of connections and actions.

use portcullis::testing::connect;

use super::capture::{self, lines};
use super::desk::{desk, open};

/// Returns the one line with this message of a user, and asserts that it stands in both spans.
#[track_caller]
fn line_in_both_spans(user: &str, action: &str, message: &str) -> String {
    let (user, action) = (format!("user={user:?}"), format!("portcullis.action{{action={action:?}"));
    let found = lines(&[&user, &action, message]);
    let [line] = &found[..] else { panic!("{message}: {found:#?}") };
    let spans = ["portcullis.connection{", "connection_id=", "consumer=\"Desk\"", &user, &action, message];
    let positions: Vec<_> = spans.iter().map(|part| line.find(part)).collect();
    assert!(positions.is_sorted() && positions[0].is_some(), "{line}");
    line.clone()
}

#[tokio::test]
async fn log_line_of_an_action_stands_in_both_spans_and_the_span_has_status_and_duration() {
    capture::start();
    let (endpoint, _) = desk();
    let mut client = open(&endpoint, "spans-ping").await;
    client.call("ping").await;
    assert!(line_in_both_spans("spans-ping", "ping", "inside ping").contains("route=\"\""));
    let closed = line_in_both_spans("spans-ping", "ping", "span::action: close");
    assert!(closed.contains("status=200") && closed.contains("duration="), "{closed}");
    client.call("open").route("drawers/7/").await;
    let closed = line_in_both_spans("spans-ping", "open", "span::action: close");
    assert!(closed.contains("route=\"drawers/{id}/\""), "{closed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn detached_blocking_and_streamed_actions_log_in_both_spans() {
    capture::start();
    let (endpoint, steps) = desk();
    let mut client = open(&endpoint, "spans-kinds").await;
    client.call("block").await;
    line_in_both_spans("spans-kinds", "block", "inside block");
    steps.resume(4);
    client.call("wait_detached").await;
    line_in_both_spans("spans-kinds", "wait_detached", "inside wait_detached");
    let (values, _) = client.call("count").with("to", 1).stream::<u32>().collect().await;
    assert_eq!(values, [1]);
    line_in_both_spans("spans-kinds", "count", "inside count");
    line_in_both_spans("spans-kinds", "count", "span::action: close");
    client.call("wait").await;
    line_in_both_spans("spans-kinds", "wait", "inside wait");
}

#[tokio::test]
async fn span_of_an_action_has_no_text_of_the_client() {
    capture::start();
    let (endpoint, _) = desk();
    let mut client = connect(&endpoint).path("/ws?token=private-query").open().await.unwrap();
    client.call("log_in").with("name", "ada").await;
    client.send(r#"{"action":"authenticate","name":"spans-unknown"}"#);
    client.reply().await;
    for route in ["", "private-route", "drawers/private-capture/"] {
        client.call("private-action").route(route).with("argument", "private-argument").await;
    }
    client.call("open").route("drawers/private-capture/").with("argument", "private-argument").await;
    client.send("private-text");
    client.reply().await;
    let of_user = lines(&["user=\"spans-unknown\"", "span::action: close"]);
    assert_eq!(of_user.len(), 6, "{of_user:#?}");
    assert!(of_user.iter().all(|line| !line.contains("private")), "{of_user:#?}");
    let names = ["\"_OTHER\" route=\"\"", "\"_OTHER\" route=\"_OTHER\"", "\"_OTHER\" route=\"drawers/{id}/\""];
    for name in names {
        assert!(of_user.iter().any(|line| line.contains(name)), "{name}: {of_user:#?}");
    }
}

#[tokio::test]
async fn user_of_a_connection_span_is_recorded_when_the_client_authenticates() {
    capture::start();
    let (endpoint, _) = desk();
    let mut client = connect(&endpoint).open().await.unwrap();
    client.send(r#"{"action":"authenticate","name":"spans-renewed"}"#);
    client.reply().await;
    client.call("ping").await;
    line_in_both_spans("spans-renewed", "ping", "inside ping");
    drop(client);
    // Nothing of the connection is left in the spans of the next one.
    let mut anonymous = connect(&endpoint).open().await.unwrap();
    anonymous.call("guarded").await;
    assert!(lines(&["spans-renewed", "action=\"guarded\""]).is_empty());
}

#[tokio::test]
async fn refusal_is_logged_in_the_span_of_its_action() {
    capture::start();
    let (endpoint, _) = desk();
    let mut client = open(&endpoint, "spans-refused").await;
    client.call("guarded").await;
    line_in_both_spans("spans-refused", "guarded", "leaf=\"IsManager\"");
    let closed = line_in_both_spans("spans-refused", "guarded", "span::action: close");
    assert!(closed.contains("status=403"), "{closed}");
}
