//! Codename permissions of actions and of the handshake.

use std::panic::{AssertUnwindSafe, catch_unwind};

use portcullis::GrantSet;
use portcullis::testing::{Client, connect};

use super::{Channels, Chat, FakeGrants, Office, chat, member, open, uploads};

/// Calls the actions in order and returns their statuses.
async fn statuses(client: &mut Client, actions: &[&str]) -> Vec<u16> {
    let mut all = Vec::new();
    for action in actions {
        all.push(client.call(action).await.status());
    }
    all
}

const ACTIONS: [&str; 4] = ["talk", "any_of", "all_of", "combined"];

#[tokio::test]
async fn codename_permission_is_evaluated_against_the_users_grants() {
    let source = FakeGrants::default();
    let (talk, moderate) = (chat::can_use_chat, chat::can_moderate_chat);
    let endpoint = chat(source.clone());
    for (id, grants, wanted) in [
        (1, vec![], [403, 403, 403, 403]),
        (2, vec![moderate, uploads::write], [403, 403, 403, 403]),
        (3, vec![talk], [200, 403, 403, 403]),
        (4, vec![talk, moderate], [200, 200, 403, 403]),
        (5, vec![talk, uploads::write], [200, 200, 403, 403]),
        (6, vec![talk, moderate, uploads::write], [200, 200, 200, 200]),
        (7, vec![talk, moderate, uploads::read], [200, 200, 403, 200]),
    ] {
        source.grant(id, &grants, &[]);
        let mut client = open(&endpoint, id).await;
        assert_eq!(statuses(&mut client, &ACTIONS).await, wanted, "{grants:?}");
        assert_eq!(source.load_log(), [format!("user {id}")], "one load per connection");
    }
    source.0.lock().unwrap().granted.insert(8, GrantSet::all().into());
    assert_eq!(statuses(&mut open(&endpoint, 8).await, &ACTIONS).await, [200; 4]);
    source.load_log();
    let mut stranger = connect(&endpoint).open().await.unwrap();
    assert_eq!(statuses(&mut stranger, &ACTIONS).await, [403; 4]);
    assert!(source.load_log().is_empty(), "no grants are loaded for anonymous users");
}

#[tokio::test]
async fn codename_at_connect_has_no_opinion_unless_strict() {
    let source = FakeGrants::default();
    let endpoint = chat(source.clone());
    assert!(connect(&endpoint).user(member(1, &[])).open().await.is_ok());
    assert!(source.load_log().is_empty());
    let office = portcullis::websocket(Office).grants(source.clone());
    source.grant(1, &[chat::can_moderate_chat, uploads::write], &[]);
    source.grant(2, &[chat::can_moderate_chat], &[]);
    let mut client = connect(&office).user(member(1, &[])).open().await.unwrap();
    assert_eq!(client.call("sit").await.status(), 200);
    let mut client = connect(&office).user(member(2, &[])).open().await.unwrap();
    assert_eq!(client.closed().await, 4403, "`#[connect]` requires more");
    assert!(connect(&office).user(member(3, &[])).open().await.is_err());
    assert!(connect(&office).open().await.is_err());
    assert_eq!(source.load_log(), ["user 1", "user 2", "user 3"], "grants loaded in the handshake are kept");
}

#[test]
fn endpoint_with_codenames_but_without_grants_panics_when_mounted() {
    let bare = portcullis::websocket(Chat { channels: Channels });
    let panic = catch_unwind(AssertUnwindSafe(|| drop(connect(&bare)))).unwrap_err();
    let text = panic.downcast::<String>().unwrap();
    assert!(text.contains("`Chat` uses codenames, but its endpoint has no source of grants"), "{text}");
}
