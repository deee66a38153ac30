//! Anonymous connections that authenticate: they belong to the user from then on.

use portcullis::testing::connect;
use portcullis::{Context, IsAuthenticated, Result, consumer};
use serde_json::json;

use super::{Club, Member, Room, Said, Uploaded, authenticate, fixture, member, next, send_authenticate};

#[tokio::test(start_paused = true)]
async fn anonymous_connection_becomes_the_authenticated_user() {
    let fixture = fixture();
    let mut client = fixture.open_anonymous().await;
    let publisher = fixture.chat.publisher();
    publisher.publish_to_user("7", Uploaded(0));
    assert_eq!(client.call("uploads").await.status(), 403);
    assert_eq!(authenticate(&mut client, "7 see,inside").await.status(), 204);
    assert_eq!(*client.call("whoami").await.data(), json!(["7", "see,inside"]));
    assert_eq!(client.call("uploads").await.status(), 200);
    publisher.publish_to_user("7", Uploaded(1));
    assert_eq!(next(&mut client).await["data"], 1);
    assert_eq!((publisher.join("7", Room).await, publisher.join("7", Club).await), (1, 1));
    publisher.publish(&Room, Said(2));
    publisher.publish(&Club, Said(3));
    assert_eq!(
        (next(&mut client).await["data"].clone(), next(&mut client).await["data"].clone()),
        (json!(2), json!(3))
    );
    assert!(fixture.chat.connections().refresh_user("7").revalidated().await.is_acknowledged());
    assert!(fixture.chat.connections().disconnect_user("7").await.is_acknowledged());
    assert_eq!(client.closed().await, 4403);
    fixture.state.disconnected.notified().await;
    publisher.publish_to_user("7", Uploaded(4));
    assert_eq!(publisher.join("7", Room).await, 0, "the user is not registered any more");
}

/// Repeated renewals must not register the connection twice.
#[tokio::test(start_paused = true)]
async fn connection_renewed_repeatedly_is_registered_once() {
    let fixture = fixture();
    let mut client = fixture.open_anonymous().await;
    for _ in 0..5 {
        assert_eq!(authenticate(&mut client, "7 see").await.status(), 204);
    }
    fixture.chat.publisher().publish_to_user("7", Said(1));
    assert_eq!(next(&mut client).await["data"], 1);
    client.expect_silence().await;
    assert_eq!(fixture.chat.publisher().join("7", Club).await, 1);
    drop(client);
    fixture.state.disconnected.notified().await;
    assert_eq!(fixture.chat.publisher().join("7", Club).await, 0);
}

#[tokio::test(start_paused = true)]
async fn authenticated_connection_cannot_change_its_user() {
    let fixture = fixture();
    let mut client = fixture.open_anonymous().await;
    assert_eq!(authenticate(&mut client, "nobody").await.status(), 403);
    assert_eq!(authenticate(&mut client, "7").await.status(), 204);
    assert_eq!(authenticate(&mut client, "8").await.status(), 403);
    assert_eq!(*client.call("whoami").await.data(), json!(["7", ""]));
    assert_eq!(authenticate(&mut client, "7 call").await.status(), 204);
    assert_eq!(*client.call("whoami").await.data(), json!(["7", "call"]));
    assert!(fixture.chat.connections().disconnect_user("8").await.is_acknowledged());
    client.expect_silence().await;
    assert!(fixture.chat.connections().disconnect_user("7").await.is_acknowledged());
    assert_eq!(client.closed().await, 4403);
}

/// Refused credentials of one user do not exclude another user.
#[tokio::test(start_paused = true)]
async fn expired_credentials_leave_the_connection_anonymous() {
    let fixture = fixture();
    let mut client = fixture.open_anonymous().await;
    assert_eq!(authenticate(&mut client, "7 call 0").await.status(), 403);
    assert_eq!(*client.call("whoami").await.data(), json!(null));
    assert!(fixture.chat.connections().disconnect_user("7").await.is_acknowledged());
    assert_eq!(authenticate(&mut client, "8").await.status(), 204);
    assert_eq!(*client.call("whoami").await.data(), json!(["8", ""]));
}

#[tokio::test(start_paused = true)]
async fn anonymous_connection_that_authenticated_expires() {
    let fixture = fixture();
    let mut client = fixture.open_anonymous().await;
    tokio::time::sleep(std::time::Duration::from_secs(30)).await;
    assert_eq!(authenticate(&mut client, "7 - 5").await.status(), 204);
    assert_eq!(client.closed().await, 4401);
}

#[tokio::test(start_paused = true)]
async fn user_disconnected_during_authenticate_is_closed() {
    for known in [true, false] {
        let fixture = fixture();
        let mut client = if known { fixture.open("7").await } else { fixture.open_anonymous().await };
        send_authenticate(&mut client, "wait 7 call", "renewed");
        client.expect_silence().await;
        assert!(fixture.chat.connections().disconnect_user("7").await.is_acknowledged());
        fixture.state.authenticate_permit.notify_one();
        assert_eq!(client.closed().await, 4403, "known before: {known}");
    }
}

#[tokio::test(start_paused = true)]
async fn user_disconnected_before_can_authenticate_again() {
    let fixture = fixture();
    assert!(fixture.chat.connections().disconnect_user("7").await.is_acknowledged());
    let mut client = fixture.open_anonymous().await;
    assert_eq!(authenticate(&mut client, "7").await.status(), 204);
    assert_eq!(client.call("ping").await.status(), 200);
}

/// The permission of the consumer denies all actions to anonymous users.
#[tokio::test(start_paused = true)]
async fn authenticate_is_available_where_all_actions_are_denied() {
    struct Members;

    #[consumer(user = Member, permission = IsAuthenticated)]
    impl Members {
        #[authenticate]
        async fn renew(&self, token: &str, cx: &Context<'_, Member>) -> Result<Option<Member>> {
            // The hook sees the current user.
            Ok((cx.user().is_none() || token.starts_with('7')).then(|| member(token)))
        }

        #[action]
        async fn ping(&self) {}
    }

    let mut client = connect(&portcullis::websocket(Members)).open().await.unwrap();
    assert_eq!(client.call("ping").await.status(), 403);
    assert_eq!(client.call("unknown").await.status(), 403);
    for route in ["rooms/", "a/b"] {
        assert_eq!(authenticate(&mut client, "7").route(route).await.status(), 403);
    }
    assert_eq!(authenticate(&mut client, "7").await.status(), 204);
    assert_eq!(client.call("ping").await.status(), 200);
    assert_eq!(authenticate(&mut client, "8").await.status(), 403);
}
