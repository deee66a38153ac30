//! `publish = members`: members and subscribers publish, and nobody else.

use std::sync::atomic::Ordering;

use portcullis::RequestId;

use super::{Step, act, assert_published, assert_refused, fixture, send, settle};

fn request_id(text: &str) -> RequestId {
    serde_json::from_str(text).unwrap()
}

#[tokio::test(start_paused = true)]
async fn outsider_is_refused_and_members_receive_nothing() {
    let fixture = fixture();
    let mut listener = fixture.open_listener().await;
    let mut outsider = fixture.open(1).await;
    for step in [Step::Say(1), Step::SayToOthers(1), Step::SayToSeveral(vec![1, 2]), Step::SayByPermit(1)] {
        assert_refused(&mut outsider, &mut listener, &[step]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn refused_publication_does_not_go_out_if_the_action_handles_it() {
    let fixture = fixture();
    let mut listener = fixture.open_listener().await;
    let mut outsider = fixture.open(1).await;
    assert_published(&mut outsider, &mut listener, &[Step::TrySay(1), Step::SayOnWall]).await;
    listener.expect_silence().await;
}

#[tokio::test(start_paused = true)]
async fn member_and_subscriber_publish_without_an_evaluation() {
    let fixture = fixture();
    let mut listener = fixture.open_listener().await;
    let (mut member, mut subscriber) = (fixture.open(1).await, fixture.open(2).await);
    assert_eq!(act(&mut member, &[Step::Join(1), Step::Join(2)]).await.status(), 200);
    subscriber.send(r#"{"action":"act","steps":[{"Subscribe":1},{"Subscribe":2}],"request_id":7}"#);
    assert_eq!(subscriber.reply().await.status(), 200);
    let evaluations = fixture.state.evaluations.load(Ordering::SeqCst);
    for client in [&mut member, &mut subscriber] {
        settle(client).await;
        for step in [Step::Say(1), Step::SayToSeveral(vec![1, 2])] {
            assert_eq!(act(client, std::slice::from_ref(&step)).await.status(), 200);
            assert_eq!(client.event().await.data(), &format!("{step:?}"));
            assert_eq!(listener.event().await.data(), &format!("{step:?}"));
        }
        assert_published(client, &mut listener, &[Step::SayToOthers(1)]).await;
    }
    for data in ["Say(1)", "SayToSeveral([1, 2])", "SayToOthers(1)"] {
        assert_eq!(member.event().await.data(), data, "of the subscriber");
    }
    member.expect_silence().await;
    assert_eq!(fixture.state.evaluations.load(Ordering::SeqCst), evaluations);
    assert_refused(&mut member, &mut listener, &[Step::SayToSeveral(vec![1, 3])]).await;
}

#[tokio::test(start_paused = true)]
async fn join_of_the_same_action_counts_and_a_departure_ends_it() {
    let fixture = fixture();
    let mut listener = fixture.open_listener().await;
    for join in [Step::Join(1), Step::Subscribe(1)] {
        let mut client = fixture.open(1).await;
        let id = serde_json::json!({"action": "act", "steps": [join, Step::SayToOthers(1)], "request_id": 7});
        client.send(id.to_string());
        assert_eq!(client.reply().await.status(), 200);
        assert_eq!(listener.event().await.data(), "SayToOthers(1)");
        settle(&mut client).await;
        assert_refused(&mut client, &mut listener, &[Step::Leave(1), Step::SayToOthers(1)]).await;
        // The departure of the failed action did not take place.
        let steps = [Step::Leave(1), Step::Join(1), Step::SayToOthers(1)];
        assert_published(&mut client, &mut listener, &steps).await;
        assert_refused(&mut client, &mut listener, &[Step::Join(1), Step::Leave(1), Step::SayToOthers(1)]).await;
        assert_eq!(act(&mut client, &[Step::SayToOthers(1), Step::Leave(1)]).await.status(), 200);
        assert_eq!(listener.event().await.data(), "SayToOthers(1)", "published before the departure");
        assert_refused(&mut client, &mut listener, &[Step::SayToOthers(1)]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn subscriber_publishes_until_the_last_subscription_has_ended() {
    let fixture = fixture();
    let mut listener = fixture.open_listener().await;
    let mut client = fixture.open(1).await;
    for id in [7, 8] {
        client.send(format!(r#"{{"action":"act","steps":[{{"Subscribe":1}}],"request_id":{id}}}"#));
        assert_eq!(client.reply().await.status(), 200);
    }
    settle(&mut client).await;
    let (first, second) = (Step::Unsubscribe(1, request_id("7")), Step::Unsubscribe(1, request_id("8")));
    // The same subscription ended twice counts once.
    let steps = [first.clone(), first.clone(), Step::SayToOthers(1)];
    assert_published(&mut client, &mut listener, &steps).await;
    assert_refused(&mut client, &mut listener, &[second.clone(), Step::SayToOthers(1)]).await;
    assert_published(&mut client, &mut listener, &[second, Step::Join(1), Step::SayToOthers(1)]).await;
}

#[tokio::test(start_paused = true)]
async fn rights_revoked_after_the_join_refuse_before_and_after_the_revalidation() {
    for is_pending in [true, false] {
        let fixture = fixture();
        let mut listener = fixture.open_listener().await;
        let mut client = fixture.open(1).await;
        assert_eq!(act(&mut client, &[Step::Join(1)]).await.status(), 200);
        settle(&mut client).await;
        send(&mut client, "act", &[Step::Wait, Step::SayToOthers(1)]);
        fixture.started().await;
        fixture.state.revoke(1);
        fixture.state.holds_next_evaluation.store(is_pending, Ordering::SeqCst);
        fixture.refresh(1).await;
        tokio::task::yield_now().await;
        assert!(!fixture.state.holds_next_evaluation.load(Ordering::SeqCst), "the revalidation has begun");
        fixture.state.resume.notify_one();
        assert_eq!(client.reply().await.status(), 403, "pending: {is_pending}");
        fixture.state.release.notify_one();
        listener.expect_silence().await;
    }
}

#[tokio::test(start_paused = true)]
async fn member_whose_revalidation_is_pending_publishes_if_the_permission_holds() {
    let fixture = fixture();
    let mut listener = fixture.open_listener().await;
    let mut client = fixture.open(1).await;
    assert_eq!(act(&mut client, &[Step::Join(1)]).await.status(), 200);
    settle(&mut client).await;
    fixture.state.holds_next_evaluation.store(true, Ordering::SeqCst);
    fixture.refresh(1).await;
    tokio::task::yield_now().await;
    let evaluations = fixture.state.evaluations.load(Ordering::SeqCst);
    assert_published(&mut client, &mut listener, &[Step::SayToOthers(1)]).await;
    assert_eq!(fixture.state.evaluations.load(Ordering::SeqCst), evaluations + 1, "evaluated again");
    fixture.state.release.notify_one();
    settle(&mut client).await;
    assert_published(&mut client, &mut listener, &[Step::SayToOthers(1)]).await;
    assert_eq!(fixture.state.evaluations.load(Ordering::SeqCst), evaluations + 1, "not evaluated any more");
}

#[tokio::test(start_paused = true)]
async fn rights_revoked_between_join_and_publish_of_one_action_refuse() {
    for is_own_change in [false, true] {
        let fixture = fixture();
        let mut listener = fixture.open_listener().await;
        let mut client = fixture.open(1).await;
        let change = if is_own_change { Step::Refresh } else { Step::Join(2) };
        send(&mut client, "act", &[Step::Join(1), Step::Wait, change, Step::SayToOthers(1)]);
        fixture.started().await;
        if is_own_change {
            fixture.state.revoke(1);
        } else {
            fixture.refresh(1).await;
        }
        fixture.state.resume.notify_one();
        let status = client.reply().await.status();
        if is_own_change {
            assert_eq!(status, 403);
            listener.expect_silence().await;
        } else {
            assert_eq!(status, 200, "the permission still holds");
            assert_eq!(listener.event().await.data(), "SayToOthers(1)");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn change_during_the_evaluation_refuses_what_it_revokes() {
    let fixture = fixture();
    let mut listener = fixture.open_listener().await;
    let mut client = fixture.open(1).await;
    send(&mut client, "act", &[Step::Join(1), Step::Refresh, Step::Wait, Step::SayToOthers(1)]);
    fixture.started().await;
    fixture.state.holds_next_evaluation.store(true, Ordering::SeqCst);
    fixture.state.resume.notify_one();
    while fixture.state.holds_next_evaluation.load(Ordering::SeqCst) {
        tokio::task::yield_now().await;
    }
    // The evaluation has read the old rights, and waits.
    fixture.state.revoke(1);
    fixture.refresh(1).await;
    fixture.state.release.notify_one();
    assert_eq!(client.reply().await.status(), 403);
    listener.expect_silence().await;
}

#[tokio::test(start_paused = true)]
async fn join_that_took_effect_on_old_rights_is_evaluated_again() {
    let fixture = fixture();
    let mut listener = fixture.open_listener().await;
    let mut client = fixture.open(1).await;
    send(&mut client, "act", &[Step::Join(1), Step::Wait]);
    fixture.started().await;
    fixture.state.revoke(1);
    fixture.refresh(1).await;
    fixture.state.holds_next_evaluation.store(true, Ordering::SeqCst);
    fixture.state.resume.notify_one();
    assert_eq!(client.reply().await.status(), 200);
    while fixture.state.holds_next_evaluation.load(Ordering::SeqCst) {
        tokio::task::yield_now().await;
    }
    // The connection is in the group, and its revalidation waits.
    assert_refused(&mut client, &mut listener, &[Step::SayToOthers(1)]).await;
    fixture.state.release.notify_one();
    assert_refused(&mut client, &mut listener, &[Step::SayToOthers(1)]).await;
}

#[tokio::test(start_paused = true)]
async fn user_who_was_removed_from_outside_is_refused() {
    let fixture = fixture();
    let mut listener = fixture.open_listener().await;
    let mut client = fixture.open(1).await;
    settle(&mut client).await;
    let publisher = fixture.theatre.publisher();
    assert_eq!(publisher.join("1", super::Room(1)).await, 1);
    assert_published(&mut client, &mut listener, &[Step::SayToOthers(1)]).await;
    publisher.leave("1", &super::Room(1));
    assert_refused(&mut client, &mut listener, &[Step::SayToOthers(1)]).await;
}
