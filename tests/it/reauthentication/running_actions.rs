//! What runs while fresh credentials come: from then on it is done for whoever they say that sits there.

use std::sync::atomic::Ordering;

use super::{Club, Lobby, Room, Said, answer, authenticate, begin, next, world};

#[tokio::test(start_paused = true)]
async fn a_join_is_asked_of_whoever_sits_there_by_then() {
    for (action, right, event) in [("enter_later", "inside", 1), ("enter_club_later", "see", 2)] {
        for (before, after) in [("-", right), (right, "-"), (right, right)] {
            let told = format!("{action}: {before} and then {after}");
            let world = world();
            let mut client = world.open("1").await;
            assert_eq!(authenticate(&mut client, &format!("1 {before}")).await.status(), 204);
            // What the old ones are granted is known from here on.
            client.call("uploads").await;
            begin(&mut client, action);
            client.expect_silence().await;
            assert_eq!(authenticate(&mut client, &format!("1 {after}")).await.status(), 204);
            world.desk.go_on.notify_one();
            let enters = after == right;
            assert_eq!(answer(&mut client).await, (action.to_owned(), if enters { 200 } else { 403 }), "{told}");
            let publisher = world.chat.publisher();
            publisher.publish(&Room, Said(1));
            publisher.publish(&Club, Said(2));
            publisher.publish(&Lobby, Said(3));
            for event in enters.then_some(event).into_iter().chain([3]) {
                assert_eq!(next(&mut client).await["data"], event, "{told}");
            }
            client.expect_silence().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_revocation_after_fresh_credentials_reaches_what_it_joins() {
    let world = world();
    let mut client = world.open("1").await;
    assert_eq!(authenticate(&mut client, "1 see").await.status(), 204);
    assert_eq!(client.call("uploads").await.status(), 200);
    begin(&mut client, "enter_club_later");
    client.expect_silence().await;
    assert_eq!(authenticate(&mut client, "1 see").await.status(), 204);
    world.desk.resigned.store(true, Ordering::SeqCst);
    world.chat.connections().refresh_user("1").await;
    world.desk.go_on.notify_one();
    assert_eq!(answer(&mut client).await, ("enter_club_later".to_owned(), 403));
    world.chat.publisher().publish(&Club, Said(1));
    client.expect_silence().await;
}

#[tokio::test(start_paused = true)]
async fn what_it_says_when_it_fails_is_asked_about_again() {
    for (rights, status) in [("call", 409), ("-", 403)] {
        let world = world();
        let mut client = world.open("1 call").await;
        begin(&mut client, "fail_later");
        client.expect_silence().await;
        assert_eq!(authenticate(&mut client, &format!("1 {rights}")).await.status(), 204);
        world.desk.go_on.notify_one();
        let reply = client.reply().await;
        assert_eq!(reply.status(), status);
        assert_eq!(reply.text().contains("taken"), status == 409, "{}", reply.text());
    }
}

#[tokio::test(start_paused = true)]
async fn the_grants_that_it_forgets_are_those_that_it_began_with() {
    let world = world();
    let mut client = world.open("1 see").await;
    begin(&mut client, "resign_later");
    client.expect_silence().await;
    assert_eq!(authenticate(&mut client, "1 see").await.status(), 204);
    // The new ones are known before it goes on.
    assert_eq!(world.chat.publisher().join("1", Club).await, 1);
    world.desk.go_on.notify_one();
    assert_eq!(answer(&mut client).await, ("resign_later".to_owned(), 200));
    assert_eq!(client.call("uploads").await.status(), 200, "of whoever sits there by now nothing is forgotten");
    world.chat.connections().refresh_user("1").await;
    assert_eq!(client.call("uploads").await.status(), 403, "that is for who says that something has changed");
}
