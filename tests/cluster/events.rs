//! Events between machines.

use std::sync::Arc;

use super::brokers::with_each;
use super::*;

#[tokio::test]
async fn event_reaches_members_on_all_machines_only() {
    with_each(async |brokers| {
        let database = Arc::default();
        let (one, other) = (machine(&brokers, &database), machine(&brokers, &database));
        let mut speaker = enter(&one, 1, "5").await;
        let mut here = enter(&one, 2, "5").await;
        let mut there = enter(&other, 3, "5").await;
        let mut elsewhere = enter(&other, 4, "6").await;
        let mut outside = open(&other, 5).await;
        assert_eq!(speaker.call("say").with("room", "5").with("text", "hello").await.status(), 200);
        for client in [&mut speaker, &mut here, &mut there] {
            assert_eq!(text(client).await, "hello");
        }
        expect_nothing_before_marker(&one, &mut elsewhere, 4).await;
        expect_nothing_before_marker(&one, &mut outside, 5).await;
        // Once each.
        expect_nothing_before_marker(&one, &mut there, 3).await;
        expect_nothing_before_marker(&other, &mut here, 2).await;
    })
    .await;
}

#[tokio::test]
async fn frame_is_the_same_on_all_machines() {
    with_each(async |brokers| {
        let database = Arc::default();
        let (one, other) = (machine(&brokers, &database), machine(&brokers, &database));
        let (mut here, mut there) = (enter(&one, 1, "5").await, enter(&other, 2, "5").await);
        one.publisher().publish(&Room("5".to_owned()), said("hello"));
        let (here, there) = (here.event().await, there.event().await);
        assert_eq!(here.value(), there.value());
        assert_eq!(there.value()["group"], "rooms/5");
    })
    .await;
}

#[tokio::test]
async fn events_of_one_publisher_arrive_in_order() {
    with_each(async |brokers| {
        let database = Arc::default();
        let (one, other) = (machine(&brokers, &database), machine(&brokers, &database));
        let mut there = enter(&other, 2, "5").await;
        let publisher = one.publisher();
        for block in 0..20 {
            let numbers = block * 50..(block + 1) * 50;
            for number in numbers.clone() {
                publisher.publish(&Room("5".to_owned()), said(&number.to_string()));
            }
            let expected: Vec<String> = numbers.map(|number| number.to_string()).collect();
            assert_eq!(texts(&mut there, 50).await, expected);
        }
    })
    .await;
}

#[tokio::test]
async fn permission_is_evaluated_where_the_subscriber_is() {
    with_each(async |brokers| {
        let database: Arc<Database> = Arc::default();
        database.speakers.lock().unwrap().insert(3);
        let (one, other) = (machine(&brokers, &database), machine(&brokers, &database));
        let mut refused = enter(&other, 2, "5").await;
        let mut speaker = enter(&other, 3, "5").await;
        let publisher = one.publisher();
        publisher.publish(&Room("5".to_owned()), Said { text: "for 3".to_owned(), only: Some(vec![3]) });
        publisher.publish(&Room("5".to_owned()), Whispered("psst".to_owned()));
        publisher.publish(&Room("5".to_owned()), said("for all"));
        assert_eq!(texts(&mut speaker, 3).await, ["for 3", "psst", "for all"]);
        assert_eq!(text(&mut refused).await, "for all");
        let counters = other.publisher().counters();
        assert_eq!((counters.published, counters.received), (0, 3));
    })
    .await;
}

#[tokio::test]
async fn event_to_a_user_reaches_all_its_connections() {
    with_each(async |brokers| {
        let database = Arc::default();
        let (one, other) = (machine(&brokers, &database), machine(&brokers, &database));
        let mut clients = [open(&one, 7).await, open(&other, 7).await, open(&other, 7).await];
        let mut stranger = open(&other, 8).await;
        other.publisher().publish_to_user("7", said("for you"));
        for client in &mut clients {
            assert_eq!(text(client).await, "for you");
        }
        expect_nothing_before_marker(&other, &mut stranger, 8).await;
    })
    .await;
}

#[tokio::test]
async fn member_of_several_groups_receives_an_event_to_all_of_them_once() {
    with_each(async |brokers| {
        let database = Arc::default();
        let (one, other) = (machine(&brokers, &database), machine(&brokers, &database));
        let rooms: Vec<String> = (0..40).map(|room| room.to_string()).collect();
        let mut member = enter(&other, 2, &rooms[0]).await;
        for room in &rooms[1..] {
            assert_eq!(member.call("enter").with("room", room).await.status(), 200);
        }
        let mut single = enter(&other, 3, &rooms[5]).await;
        let groups: Vec<Room> = rooms.into_iter().map(Room).collect();
        one.publisher().publish_to_several(&groups, said("to all"));
        one.publisher().publish(&groups[5], said("to one"));
        assert_eq!(texts(&mut single, 2).await, ["to all", "to one"]);
        assert_eq!(texts(&mut member, 2).await, ["to all", "to one"]);
    })
    .await;
}

#[tokio::test]
async fn sender_is_excluded_and_others_on_other_machines_are_not() {
    with_each(async |brokers| {
        let database = Arc::default();
        let (one, other) = (machine(&brokers, &database), machine(&brokers, &database));
        let mut sender = enter(&one, 1, "5").await;
        let mut same_user_elsewhere = enter(&other, 1, "5").await;
        assert_eq!(sender.call("say_to_others").with("room", "5").with("text", "hello").await.status(), 200);
        assert_eq!(text(&mut same_user_elsewhere).await, "hello");
        sender.expect_silence().await;
    })
    .await;
}

#[tokio::test]
async fn join_is_complete_when_it_is_answered() {
    with_each(async |brokers| {
        let database = Arc::default();
        let (one, other) = (machine(&brokers, &database), machine(&brokers, &database));
        let mut client = open(&other, 2).await;
        for number in 0..200 {
            let room = format!("room {}", number % 40);
            assert_eq!(client.call("enter").with("room", &room).await.status(), 200);
            one.publisher().publish(&Room(room.clone()), said(&number.to_string()));
            assert_eq!(text(&mut client).await, number.to_string());
            assert_eq!(client.call("exit").with("room", &room).await.status(), 200);
            one.publisher().publish(&Room(room), said("after the exit"));
        }
        expect_nothing_before_marker(&one, &mut client, 2).await;
    })
    .await;
}

#[tokio::test]
async fn event_of_a_group_key_with_any_bytes_arrives() {
    with_each(async |brokers| {
        let database = Arc::default();
        let (one, other) = (machine(&brokers, &database), machine(&brokers, &database));
        for name in ["", " ", "*", ">", "a.b", "{x}", "\0\r\n", "ü:/\\\"'", "rooms/5"] {
            let mut client = enter(&other, 2, name).await;
            one.publisher().publish(&Room(name.to_owned()), said(name));
            assert_eq!(text(&mut client).await, name);
        }
    })
    .await;
}

#[tokio::test]
async fn large_event_arrives_whole() {
    with_each(async |brokers| {
        let database = Arc::default();
        let (one, other) = (machine(&brokers, &database), machine(&brokers, &database));
        let mut client = enter(&other, 2, "5").await;
        let large = "x".repeat(200_000);
        one.publisher().publish(&Room("5".to_owned()), said(&large));
        one.publisher().publish(&Room("5".to_owned()), said("small"));
        assert_eq!(text(&mut client).await, large);
        assert_eq!(text(&mut client).await, "small");
    })
    .await;
}

#[tokio::test]
async fn event_that_is_too_large_for_other_machines_is_delivered_on_its_own() {
    with_each(async |brokers| {
        let database = Arc::default();
        let (one, other) = (machine(&brokers, &database), machine(&brokers, &database));
        let (mut here, mut there) = (enter(&one, 1, "5").await, enter(&other, 2, "5").await);
        let large = "x".repeat(950 * 1024);
        one.publisher().publish(&Room("5".to_owned()), said(&large));
        one.publisher().publish(&Room("5".to_owned()), said("small"));
        assert_eq!(texts(&mut here, 2).await, [&large, "small"]);
        assert_eq!(text(&mut there).await, "small");
        assert_eq!(one.publisher().counters().too_large, 1);
    })
    .await;
}

#[tokio::test]
async fn events_arrive_after_another_machine_has_ended() {
    with_each(async |brokers| {
        let database = Arc::default();
        let (one, other) = (machine(&brokers, &database), machine(&brokers, &database));
        drop(enter(&other, 2, "5").await);
        drop(other);
        let (mut here, third) = (enter(&one, 1, "5").await, machine(&brokers, &database));
        let mut there = enter(&third, 3, "5").await;
        one.publisher().publish(&Room("5".to_owned()), said("hello"));
        assert_eq!(text(&mut here).await, "hello");
        assert_eq!(text(&mut there).await, "hello");
    })
    .await;
}
