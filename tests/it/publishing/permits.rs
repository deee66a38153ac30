//! `PublishPermit`: taken before something is stored, and valid until the action ends.

use super::{Step, act, fixture, send, settle};

#[tokio::test(start_paused = true)]
async fn permit_holds_until_the_action_ends_although_rights_are_revoked() {
    let fixture = fixture();
    let mut listener = fixture.open_listener().await;
    let mut client = fixture.open(1).await;
    assert_eq!(act(&mut client, &[Step::Join(1)]).await.status(), 200);
    settle(&mut client).await;
    send(&mut client, "act", &[Step::SayByPermit(1)]);
    fixture.started().await;
    fixture.state.revoke(1);
    assert!(fixture.theatre.connections().refresh_user("1").revalidated().await.is_acknowledged());
    fixture.state.resume.notify_one();
    assert_eq!(client.reply().await.status(), 200);
    for _ in 0..2 {
        assert_eq!(listener.event().await.data(), "SayByPermit(1)");
    }
    client.expect_silence().await;
}

#[tokio::test(start_paused = true)]
async fn permit_of_a_failed_action_publishes_nothing() {
    let fixture = fixture();
    let mut listener = fixture.open_listener().await;
    let mut client = fixture.open(1).await;
    send(&mut client, "act", &[Step::Join(1), Step::SayByPermit(1), Step::Say(3)]);
    fixture.started().await;
    fixture.state.resume.notify_one();
    assert_eq!(client.reply().await.status(), 403);
    listener.expect_silence().await;
}

#[tokio::test]
async fn blocking_action_publishes_through_the_runtime_handle() {
    let fixture = fixture();
    let mut listener = fixture.open_listener().await;
    let mut client = fixture.open(1).await;
    assert_eq!(client.call("say_blocking").with("room", 1).await.status(), 403);
    assert_eq!(act(&mut client, &[Step::Join(1)]).await.status(), 200);
    settle(&mut client).await;
    assert_eq!(client.call("say_blocking").with("room", 1).await.status(), 200);
    assert_eq!(client.event().await.data(), "from a thread");
    assert_eq!(listener.event().await.data(), "from a thread");
}
