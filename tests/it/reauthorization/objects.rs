//! Objects in a reauthorization: only those that the verdict depends on are loaded, and a missing one denies.

use std::sync::atomic::Ordering;

use portcullis::GrantSet;

use super::{Fixture, assert_alive, desk, fixture};

/// Requires `desk.lead` or the ownership of the note.
const DELETE: &str = r#"{"action":"delete","note":7}"#;

fn fixture_with_note(owner: u32) -> Fixture {
    let fixture = fixture();
    fixture.state.notes.lock().unwrap().insert(7, owner);
    fixture
}

#[tokio::test(start_paused = true)]
async fn object_that_no_verdict_depends_on_is_not_loaded_again() {
    for action in ["delete", "delete_detached"] {
        let fixture = fixture_with_note(2);
        fixture.state.grant(1, GrantSet::from(desk::lead).into());
        let (mut client, mut other) = (fixture.open(1).await, fixture.open(2).await);
        let message = format!(r#"{{"action":"{action}","note":7}}"#);
        let reply = fixture.reply_after(&mut client, &message, |_| {}).await;
        assert_eq!(reply.status(), 200, "the leader keeps the right: {reply:?}");
        assert_eq!(fixture.state.note_loads.load(Ordering::SeqCst), 1, "for the action alone");
        assert_eq!(other.reply().await.data(), 7);
    }
}

#[tokio::test(start_paused = true)]
async fn action_that_deleted_its_object_is_denied_after_a_change() {
    let fixture = fixture_with_note(1);
    let (mut client, mut other) = (fixture.open(1).await, fixture.open(2).await);
    let reply = fixture.reply_after(&mut client, DELETE, |_| {}).await;
    assert_eq!((reply.status(), reply.code()), (403, "rights_changed"));
    assert_eq!(other.reply().await.data(), 7, "others must not miss that it is deleted");
    assert_eq!(client.reply().await.data(), 7);
    assert_alive(&mut client).await;
}

#[tokio::test(start_paused = true)]
async fn action_that_deleted_its_object_is_answered_without_a_change() {
    let fixture = fixture_with_note(1);
    let (mut client, mut other) = (fixture.open(1).await, fixture.open(2).await);
    client.send(DELETE);
    fixture.state.started.notified().await;
    assert!(fixture.connections.refresh_user("2").revalidated().await.is_acknowledged());
    fixture.state.resume();
    assert_eq!(client.reply().await.status(), 200);
    assert_eq!(other.reply().await.data(), 7);
}
