//! Public names of groups in event frames.

use super::{
    Quiet, Room, Said, Topic, Unserializable, Uploaded, Whispered, act_ok, fixture, frames, said, unsubscribe,
};

#[tokio::test(start_paused = true)]
async fn event_frame_has_the_public_name_between_data_and_request_ids() {
    let fixture = fixture();
    let mut one = fixture.open(1, &[]).await;
    act_ok(&mut one, "", r#"{"join":5}"#).await;
    fixture.say(5, "hello");
    fixture.publisher.publish(&Room { id: 5 }, Whispered);
    let wanted =
        [r#"{"event":"said","data":"hello","group":"rooms/5"}"#, r#"{"event":"whispered","data":1,"group":"rooms/5"}"#];
    assert_eq!(frames(&mut one).await, wanted);
    act_ok(&mut one, r#""a""#, r#"{"subscribe":5}"#).await;
    fixture.say(5, "hello");
    fixture.publisher.publish(&Room { id: 5 }, Whispered);
    let wanted = [
        r#"{"event":"said","data":"hello","group":"rooms/5","request_ids":["a"]}"#,
        r#"{"event":"whispered","data":1,"group":"rooms/5","request_ids":["a"]}"#,
    ];
    assert_eq!(frames(&mut one).await, wanted);
}

#[tokio::test(start_paused = true)]
async fn group_without_public_name_shows_none() {
    let fixture = fixture();
    let mut one = fixture.open(1, &[]).await;
    act_ok(&mut one, "1", r#"{"subscribe_quietly":5},{"join":5}"#).await;
    fixture.publisher.publish(&Quiet(5), Said("hello".to_owned()));
    fixture.publisher.publish(&Quiet(5), Whispered);
    fixture.publisher.publish_to_several(&[Quiet(4), Quiet(5)], Whispered);
    let wanted = [
        r#"{"event":"said","data":"hello","request_ids":[1]}"#,
        r#"{"event":"whispered","data":1,"request_ids":[1]}"#,
        r#"{"event":"whispered","data":1,"request_ids":[1]}"#,
    ];
    assert_eq!(frames(&mut one).await, wanted);
}

#[tokio::test(start_paused = true)]
async fn public_name_is_escaped_as_a_json_string() {
    let fixture = fixture();
    let mut one = fixture.open(1, &[]).await;
    act_ok(&mut one, "1", r#"{"subscribe_topic":"a \"b\" \\ \n{0} é"}"#).await;
    fixture.publisher.publish(&Topic("a \"b\" \\ \n{0} é".to_owned()), Said("hello".to_owned()));
    let wanted = r#"{"event":"said","data":"hello","group":"topics/a \"b\" \\ \n{0} é","request_ids":[1]}"#;
    assert_eq!(frames(&mut one).await, [wanted]);
}

#[tokio::test(start_paused = true)]
async fn publication_to_several_groups_names_the_first_of_the_receiver() {
    let fixture = fixture();
    let (mut both, mut second, mut user) =
        (fixture.open(1, &[]).await, fixture.open(2, &[]).await, fixture.open(1, &[]).await);
    act_ok(&mut both, "2", r#"{"subscribe":2}"#).await;
    act_ok(&mut both, "1", r#"{"subscribe":1}"#).await;
    act_ok(&mut both, "3", r#"{"subscribe":1},{"subscribe":2}"#).await;
    act_ok(&mut second, "7", r#"{"subscribe":2}"#).await;
    let said = |text, room, ids| vec![said(text, room, ids)];
    for (rooms, of_both, of_second) in
        [(vec![1, 2], (1, "1,3,2"), true), (vec![2, 1], (2, "2,3,1"), true), (vec![4, 1, 1], (1, "1,3"), false)]
    {
        let rooms: Vec<Room> = rooms.into_iter().map(|id| Room { id }).collect();
        fixture.publisher.publish_to_several(&rooms, Said("hello".to_owned()));
        assert_eq!(frames(&mut both).await, said("hello", of_both.0, of_both.1), "one frame with all ids");
        let wanted = if of_second { said("hello", 2, "7") } else { vec![] };
        assert_eq!(frames(&mut second).await, wanted);
        fixture.publisher.publish_to_several(&rooms, Whispered);
        let (name, ids) = of_both;
        let wanted = format!(r#"{{"event":"whispered","data":1,"group":"rooms/{name}","request_ids":[{ids}]}}"#);
        assert_eq!(frames(&mut both).await, [wanted]);
        frames(&mut second).await;
    }
    assert_eq!(frames(&mut user).await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn deferred_event_uses_another_group_after_the_first_is_left() {
    let fixture = fixture();
    let mut one = fixture.open(1, &[]).await;
    for id in ["1", "2"] {
        act_ok(&mut one, id, &format!(r#"{{"subscribe":{id}}}"#)).await;
    }
    fixture.state.grants_gate.close();
    fixture.publisher.publish_to_several(&[Room { id: 1 }, Room { id: 2 }], Uploaded(1));
    fixture.publisher.publish_to_several(&[Room { id: 2 }, Room { id: 1 }], Whispered);
    fixture.publisher.publish(&Room { id: 1 }, Whispered);
    unsubscribe(&mut one, 1, "1").await;
    fixture.state.grants_gate.open();
    let wanted = [
        r#"{"event":"uploaded","data":1,"group":"rooms/2","request_ids":[2]}"#,
        r#"{"event":"whispered","data":1,"group":"rooms/2","request_ids":[2]}"#,
    ];
    assert_eq!(frames(&mut one).await, wanted);
    fixture.publisher.publish_to_several(&[Room { id: 1 }, Room { id: 2 }], Whispered);
    assert_eq!(frames(&mut one).await, wanted[1..]);
    act_ok(&mut one, "", r#"{"leave":2}"#).await;
    fixture.publisher.publish_to_several(&[Room { id: 1 }, Room { id: 2 }], Whispered);
    assert_eq!(frames(&mut one).await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn publication_to_a_user_names_no_group() {
    let fixture = fixture();
    let mut one = fixture.open(1, &[]).await;
    act_ok(&mut one, "1", r#"{"subscribe":2},{"join":2}"#).await;
    fixture.publisher.publish_to_user("1", Said("to you".to_owned()));
    fixture.publisher.publish_to_user("1", Whispered);
    fixture.publisher.publish_to_user("1", Unserializable);
    fixture.publisher.publish_to_user("1", Uploaded(3));
    let wanted = [
        r#"{"event":"said","data":"to you"}"#,
        r#"{"event":"whispered","data":1}"#,
        r#"{"event":"uploaded","data":3}"#,
    ];
    assert_eq!(frames(&mut one).await, wanted);
}
