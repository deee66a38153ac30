//! Group slots of a connection: a left group frees one slot, and a join answered with 200 takes effect.

use portcullis::Limits;

use super::{Room, Search, house, join_room, open};

#[tokio::test(start_paused = true)]
async fn group_left_many_times_frees_one_slot() {
    let (_, house) = house();
    let mut client = open(&house.limits(Limits { max_groups: 3, ..Limits::default() }), "7").await;
    join_room(&mut client, 1).await;
    let many: Vec<u32> = (10..30).collect();
    let reply = client.call("move_between").with("leave", vec![1; 50]).with("join", many).await;
    assert_eq!((reply.status(), reply.code()), (409, "too_many_groups"));
}

#[tokio::test(start_paused = true)]
async fn join_answered_with_200_has_taken_effect() {
    for (groups, status, member_of) in [(2, 409, vec![1]), (3, 200, vec![1, 2])] {
        let (state, house) = house();
        let house = house.limits(Limits { max_groups: groups, ..Limits::default() });
        let publisher = house.publisher();
        let mut client = open(&house, "7").await;
        join_room(&mut client, 1).await;
        let reply = client.call("move_between").with("leave", [1]).with("join", [2, 1]).await;
        assert_eq!(reply.status(), status);
        for room in [1, 2] {
            let found = state.find(|| publisher.publish(&Room(room), Search));
            assert_eq!(found, usize::from(member_of.contains(&room)), "room {room}, {groups} groups");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn group_over_32_subscriptions_of_a_connection_is_refused() {
    let (_, house) = house();
    let (mut client, mut other) = (open(&house, "7").await, open(&house, "8").await);
    let subscribe = |room: u32, id: u32| format!(r#"{{"action":"subscribe","room":{room},"request_id":{id}}}"#);
    for id in 1..=33 {
        client.send(subscribe(1, id));
        let reply = client.reply().await;
        if id == 33 {
            assert_eq!((reply.status(), reply.code()), (409, "too_many_subscriptions"));
        } else {
            assert_eq!(reply.status(), 200, "under the id {id}");
        }
    }
    // The limit is per group and connection, and an unsubscribe frees a slot.
    client.send(subscribe(2, 33));
    assert_eq!(client.reply().await.status(), 200);
    other.send(subscribe(1, 33));
    assert_eq!(other.reply().await.status(), 200);
    assert_eq!(client.call("unsubscribe").with("room", 1).with("subscription", 1).await.status(), 200);
    client.send(subscribe(1, 33));
    assert_eq!(client.reply().await.status(), 200);
}
