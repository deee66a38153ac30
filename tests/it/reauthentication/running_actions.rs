//! Actions that run during `authenticate` continue for the new user.

use std::sync::atomic::Ordering;

use super::{Club, Lobby, Room, Said, authenticate, fixture, next, next_status, send_action};

#[tokio::test(start_paused = true)]
async fn join_after_authenticate_is_authorized_for_the_new_user() {
    for (action, right, event) in [("enter_later", "inside", 1), ("enter_club_later", "see", 2)] {
        for (before, after) in [("-", right), (right, "-"), (right, right)] {
            let case = format!("{action}: {before} and then {after}");
            let fixture = fixture();
            let mut client = fixture.open("1").await;
            assert_eq!(authenticate(&mut client, &format!("1 {before}")).await.status(), 204);
            // From here on the grants of the old credentials are loaded.
            client.call("uploads").await;
            send_action(&mut client, action);
            client.expect_silence().await;
            assert_eq!(authenticate(&mut client, &format!("1 {after}")).await.status(), 204);
            fixture.state.resume.notify_one();
            let enters = after == right;
            assert_eq!(next_status(&mut client).await, (action.to_owned(), if enters { 200 } else { 403 }), "{case}");
            let publisher = fixture.chat.publisher();
            publisher.publish(&Room, Said(1));
            publisher.publish(&Club, Said(2));
            publisher.publish(&Lobby, Said(3));
            for event in enters.then_some(event).into_iter().chain([3]) {
                assert_eq!(next(&mut client).await["data"], event, "{case}");
            }
            client.expect_silence().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn revocation_after_authenticate_reaches_a_later_join() {
    let fixture = fixture();
    let mut client = fixture.open("1").await;
    assert_eq!(authenticate(&mut client, "1 see").await.status(), 204);
    assert_eq!(client.call("uploads").await.status(), 200);
    send_action(&mut client, "enter_club_later");
    client.expect_silence().await;
    assert_eq!(authenticate(&mut client, "1 see").await.status(), 204);
    fixture.state.grants_revoked.store(true, Ordering::SeqCst);
    assert!(fixture.chat.connections().refresh_user("1").revalidated().await.is_acknowledged());
    fixture.state.resume.notify_one();
    assert_eq!(next_status(&mut client).await, ("enter_club_later".to_owned(), 403));
    fixture.chat.publisher().publish(&Club, Said(1));
    client.expect_silence().await;
}

#[tokio::test(start_paused = true)]
async fn error_of_a_running_action_is_reauthorized_for_the_new_user() {
    for (rights, status) in [("call", 409), ("-", 403)] {
        let fixture = fixture();
        let mut client = fixture.open("1 call").await;
        send_action(&mut client, "fail_later");
        client.expect_silence().await;
        assert_eq!(authenticate(&mut client, &format!("1 {rights}")).await.status(), 204);
        fixture.state.resume.notify_one();
        let reply = client.reply().await;
        assert_eq!(reply.status(), status);
        assert_eq!(reply.text().contains("taken"), status == 409, "{}", reply.text());
    }
}

#[tokio::test(start_paused = true)]
async fn forget_grants_after_authenticate_keeps_the_grants_of_the_new_user() {
    let fixture = fixture();
    let mut client = fixture.open("1 see").await;
    send_action(&mut client, "resign_later");
    client.expect_silence().await;
    assert_eq!(authenticate(&mut client, "1 see").await.status(), 204);
    // The new grants are loaded before the action continues.
    assert_eq!(fixture.chat.publisher().join("1", Club).await, 1);
    fixture.state.resume.notify_one();
    assert_eq!(next_status(&mut client).await, ("resign_later".to_owned(), 200));
    assert_eq!(client.call("uploads").await.status(), 200, "the grants of the new user are kept");
    assert!(fixture.chat.connections().refresh_user("1").revalidated().await.is_acknowledged());
    assert_eq!(client.call("uploads").await.status(), 403, "only a refresh loads them again");
}
