//! Permissions of the group, of events, and of the time since when a user is let in.

use std::time::Duration;

use super::*;

#[tokio::test]
async fn replayed_events_are_those_that_the_user_may_see_now() {
    let database: Arc<Database> = Arc::default();
    let endpoint = endpoint_with(&database);
    let (mut client, position) = enter(&endpoint, 1).await;
    say(&endpoint, "open");
    say_secretly(&endpoint, "secret");
    say(&endpoint, "open too");
    expect_texts(&mut client, &["open", "open too"]).await;
    let (mut resumed, has_recovered) = resume(&endpoint, 1, &position).await;
    assert!(has_recovered);
    expect_texts(&mut resumed, &["open", "open too"]).await;
    resumed.expect_silence().await;
    database.insiders.lock().unwrap().insert(1);
    let (mut resumed, _) = resume(&endpoint, 1, &position).await;
    expect_texts(&mut resumed, &["open", "secret", "open too"]).await;
    database.insiders.lock().unwrap().clear();
    let (mut resumed, _) = resume(&endpoint, 1, &position).await;
    expect_texts(&mut resumed, &["open", "open too"]).await;
    resumed.expect_silence().await;
}

#[tokio::test]
async fn user_without_permission_for_the_group_resumes_nothing() {
    let database: Arc<Database> = Arc::default();
    let endpoint = endpoint_with(&database);
    let (_client, position) = enter(&endpoint, 1).await;
    say(&endpoint, "one");
    database.banned.lock().unwrap().insert(1);
    let mut banned = open(&endpoint, 1).await;
    let reply = banned.call("enter").with("room", "5").with("position", &position).await;
    assert_eq!((reply.status(), reply.code()), (403, "permission_denied"));
    assert_eq!(reply.data(), &Value::Null);
    banned.expect_silence().await;
}

#[tokio::test]
async fn membership_that_is_revoked_receives_no_replayed_event() {
    let database: Arc<Database> = Arc::default();
    let endpoint = endpoint_with(&database);
    let (_client, position) = enter(&endpoint, 1).await;
    say(&endpoint, "one");
    let mut client = open(&endpoint, 2).await;
    enter_and_wait(&database, &mut client, &position).await;
    database.banned.lock().unwrap().insert(2);
    let _ = endpoint.connections().refresh_user("2").await;
    say(&endpoint, "two");
    database.may_end.notify_one();
    assert_eq!(client.closed().await, 1013);
}

#[tokio::test]
async fn nothing_is_replayed_from_while_the_user_was_out_of_the_group() {
    let database: Arc<Database> = Arc::default();
    let endpoint = endpoint_with(&database);
    let (_client, position) = enter(&endpoint, 1).await;
    say(&endpoint, "one");
    let mut client = open(&endpoint, 2).await;
    enter_and_wait(&database, &mut client, &position).await;
    database.banned.lock().unwrap().insert(2);
    let _ = endpoint.connections().refresh_user("2").await;
    say(&endpoint, "while the user is out");
    database.banned.lock().unwrap().clear();
    database.let_in_at.lock().unwrap().insert(2, SystemTime::now() + Duration::from_mins(1));
    let _ = endpoint.connections().refresh_user("2").await;
    database.may_end.notify_one();
    assert_eq!(client.closed().await, 1013);
    assert!(!resume(&endpoint, 2, &position).await.1);
}

#[tokio::test]
async fn events_from_before_the_user_was_let_in_are_not_replayed() {
    let database: Arc<Database> = Arc::default();
    let endpoint = endpoint_with(&database);
    let (mut client, position) = enter(&endpoint, 1).await;
    say(&endpoint, "before");
    let after_before = expect_text(&mut client, "before").await;
    // The times of events are those of the system's clock, in milliseconds.
    let let_in_at = SystemTime::now() + Duration::from_millis(2);
    database.let_in_at.lock().unwrap().insert(2, let_in_at);
    while SystemTime::now() < let_in_at + Duration::from_millis(2) {
        tokio::task::yield_now().await;
    }
    say(&endpoint, "after");
    // A position that another user has passed on.
    let (mut newcomer, has_recovered) = resume(&endpoint, 2, &position).await;
    assert!(!has_recovered);
    newcomer.expect_silence().await;
    let (mut newcomer, has_recovered) = resume(&endpoint, 2, &after_before).await;
    assert!(has_recovered);
    expect_texts(&mut newcomer, &["after"]).await;
    let (mut member, has_recovered) = resume(&endpoint, 1, &position).await;
    assert!(has_recovered);
    expect_texts(&mut member, &["before", "after"]).await;
    // The user is let in again later, and presents the position from before.
    database.let_in_at.lock().unwrap().insert(1, SystemTime::now() + Duration::from_mins(1));
    assert!(!resume(&endpoint, 1, &position).await.1);
}

#[tokio::test]
async fn error_of_the_since_function_refuses_the_join() {
    let endpoint = endpoint();
    let mut client = open(&endpoint, 1).await;
    assert_eq!(client.call("enter").with("room", "broken").await.status(), 500);
    endpoint.publisher().publish(&room("broken"), Said { text: "one".to_owned(), is_secret: false });
    client.expect_silence().await;
}

#[test]
fn audit_lists_what_is_replayed_and_since_when() {
    let audit = portcullis::audit().unwrap();
    let permission = |name| &audit.entries().iter().find(|entry| entry.action == name).unwrap().permission;
    assert!(permission("Room").ends_with("the last 8 events of 600s replayed since Room::member_since"));
    assert!(permission("Archive").ends_with("the last 5000 events of 3600s replayed to every user who may join"));
}
