//! Connects, joins and streams in progress when a change comes are authorized again before they take effect.

use std::sync::atomic::Ordering;

use futures_util::FutureExt as _;
use portcullis::testing::connect;

use super::{Lobby, Room, Said, Uploaded, fixture, member, next};

#[tokio::test(start_paused = true)]
async fn connect_during_a_change_is_evaluated_again() {
    let fixture = fixture();
    fixture.state.readers.lock().unwrap().insert(1);
    fixture.state.members.lock().unwrap().insert(1);
    fixture.state.yields_per_evaluation.store(10, Ordering::SeqCst);
    let connecting = connect(&fixture.chat).user(member(1, &[])).open();
    let mut connecting = Box::pin(connecting);
    // The connect permission has been evaluated, with the old rights.
    assert!(futures_util::poll!(&mut connecting).is_pending());
    fixture.state.banned.lock().unwrap().insert(1);
    assert!(fixture.connections.refresh_user("1").revalidated().await.is_acknowledged());
    let mut client = connecting.await.unwrap();
    assert_eq!(client.closed().await, 4403);
}

#[tokio::test(start_paused = true)]
async fn join_authorized_before_a_change_is_revalidated() {
    for keeps_right in [true, false] {
        let fixture = fixture();
        let mut client = fixture.open(1).await;
        fixture.state.members.lock().unwrap().insert(1);
        client.send(r#"{"action":"enter"}"#);
        client.expect_silence().await;
        if !keeps_right {
            fixture.state.members.lock().unwrap().remove(&1);
        }
        assert!(fixture.connections.refresh_user("1").revalidated().await.is_acknowledged());
        fixture.state.resume.notify_one();
        assert_eq!(client.reply().await.status(), 200);
        fixture.chat.publisher().publish(&Room, Said(1));
        fixture.chat.publisher().publish(&Lobby, Said(2));
        if keeps_right {
            assert_eq!(next(&mut client).await["data"], 1);
        }
        assert_eq!(next(&mut client).await["data"], 2);
        client.expect_silence().await;
    }
}

#[tokio::test(start_paused = true)]
async fn stream_authorized_before_a_change_is_reauthorized() {
    for keeps_right in [true, false] {
        let fixture = fixture();
        fixture.state.readers.lock().unwrap().insert(1);
        let mut client = fixture.open(1).await;
        client.send(r#"{"action":"stream"}"#);
        client.expect_silence().await;
        if !keeps_right {
            fixture.state.readers.lock().unwrap().remove(&1);
        }
        assert!(fixture.connections.refresh_user("1").revalidated().await.is_acknowledged());
        fixture.state.resume.notify_one();
        let reply = client.reply().await;
        let wanted = if keeps_right { (200, Some(false)) } else { (403, Some(true)) };
        assert_eq!((reply.status(), reply.value()["last"].as_bool()), wanted, "{}", reply.text());
        if !keeps_right {
            assert_eq!(client.call("ping").await.status(), 200);
            client.expect_silence().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn refresh_completes_at_its_first_poll_and_revalidates_behind_it() {
    let fixture = fixture();
    fixture.state.readers.lock().unwrap().insert(1);
    fixture.state.members.lock().unwrap().insert(1);
    let mut client = fixture.open(1).await;
    let publisher = fixture.chat.publisher();
    publisher.publish(&Lobby, Uploaded(1));
    assert_eq!(next(&mut client).await["data"], 1);
    fixture.state.yields_per_evaluation.store(10, Ordering::SeqCst);
    let evaluations = fixture.state.evaluations.load(Ordering::SeqCst);
    drop(fixture.connections.refresh_all());
    tokio::task::yield_now().await;
    assert_eq!(
        fixture.state.evaluations.load(Ordering::SeqCst),
        evaluations,
        "a refresh that is not polled does nothing"
    );
    fixture.state.readers.lock().unwrap().clear();
    fixture.state.members.lock().unwrap().clear();
    let propagation = fixture.connections.refresh_user("1").now_or_never().unwrap();
    assert!(propagation.is_acknowledged());
    assert_eq!(fixture.state.evaluations.load(Ordering::SeqCst), evaluations, "nothing is evaluated yet");
    publisher.publish(&Room, Said(2));
    publisher.publish(&Lobby, Uploaded(3));
    publisher.publish(&Lobby, Said(4));
    assert_eq!(next(&mut client).await["data"], 4, "the first two need rights that are revoked");
    client.expect_silence().await;
    assert!(fixture.connections.disconnect_user("1").now_or_never().unwrap().is_acknowledged());
    assert_eq!(client.closed().await, 4403);
}
