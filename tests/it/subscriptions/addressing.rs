//! The receivers of an action's publications, and when they arrive: after a successful reply, or at once.

use super::{act, act_ok, fixture, frames, said};

const NOTHING: Vec<String> = Vec::new();

#[tokio::test(start_paused = true)]
async fn publication_to_several_groups_arrives_once_per_member() {
    let fixture = fixture();
    let (mut one, mut two, mut three) =
        (fixture.open(1, &[]).await, fixture.open(2, &[]).await, fixture.open(3, &[]).await);
    act_ok(&mut one, "", r#"{"join":1},{"join":2}"#).await;
    act_ok(&mut two, "", r#"{"join":2}"#).await;
    act_ok(&mut three, "", r#"{"join":4}"#).await;
    let reply = act(&mut one, "", r#"{"say_to_several":[[3,2,1,2],"hello"]}"#).await;
    assert_eq!(reply.status(), 200, "the reply comes first");
    assert_eq!(frames(&mut one).await, [said("hello", 2, "")]);
    assert_eq!(frames(&mut two).await, [said("hello", 2, "")]);
    assert_eq!(frames(&mut three).await, NOTHING);
    act_ok(&mut three, "", r#"{"say_to_several":[[],"to nobody"]}"#).await;
    act_ok(&mut three, "", r#"{"say_to_several":[[1,2],"from outside"]}"#).await;
    assert_eq!(frames(&mut one).await, [said("from outside", 1, "")]);
    assert_eq!(frames(&mut two).await, [said("from outside", 2, "")]);
    assert_eq!(frames(&mut three).await, NOTHING);
}

#[tokio::test(start_paused = true)]
async fn publication_to_a_user_arrives_on_all_connections() {
    let fixture = fixture();
    let (mut one, mut twin, mut two) =
        (fixture.open(1, &[]).await, fixture.open(1, &[]).await, fixture.open(2, &[]).await);
    let mut hush = fixture.open(4, &["hush"]).await;
    let to_you = r#"{"event":"said","data":"to you"}"#;
    act_ok(&mut two, "", r#"{"say_to_user":["1","to you"]}"#).await;
    for client in [&mut one, &mut twin] {
        assert_eq!(frames(client).await, [to_you]);
    }
    assert_eq!(act(&mut one, "", r#"{"say_to_user":["1","to you"]}"#).await.status(), 200, "the reply comes first");
    for client in [&mut one, &mut twin] {
        assert_eq!(frames(client).await, [to_you], "including the publishing connection");
    }
    act_ok(&mut one, "", r#"{"say_to_user":["4","to you"]},{"say_to_user":["nobody","to you"]}"#).await;
    for client in [&mut one, &mut twin, &mut two, &mut hush] {
        assert_eq!(frames(client).await, NOTHING, "the event permission is evaluated here too");
    }
}

#[tokio::test(start_paused = true)]
async fn publication_to_others_skips_only_the_publishing_connection() {
    let fixture = fixture();
    let (mut one, mut twin, mut two) =
        (fixture.open(1, &[]).await, fixture.open(1, &[]).await, fixture.open(2, &[]).await);
    act_ok(&mut one, "1", r#"{"subscribe":2},{"join":2}"#).await;
    for client in [&mut twin, &mut two] {
        act_ok(client, "1", r#"{"subscribe":2}"#).await;
    }
    assert_eq!(act(&mut one, "", r#"{"say_to_others":[2,"psst"]}"#).await.status(), 200);
    assert_eq!(frames(&mut one).await, NOTHING);
    for client in [&mut twin, &mut two] {
        assert_eq!(frames(client).await, [said("psst", 2, "1")], "another connection of the same user is another");
    }
}

#[tokio::test(start_paused = true)]
async fn publications_of_a_failed_action_are_discarded() {
    let fixture = fixture();
    let (mut one, mut two) = (fixture.open(1, &[]).await, fixture.open(2, &[]).await);
    for client in [&mut one, &mut two] {
        act_ok(client, "", r#"{"join":2}"#).await;
    }
    let steps = r#"{"say":[2,"a"]},{"say_to_others":[2,"b"]},{"say_to_several":[[2],"c"]},{"say_to_user":["2","d"]}"#;
    assert_eq!(act(&mut one, "", &format!(r#"{steps},"fail""#)).await.status(), 409);
    for client in [&mut one, &mut two] {
        assert_eq!(frames(client).await, NOTHING);
    }
    assert_eq!(act(&mut one, "", steps).await.status(), 200);
    assert_eq!(frames(&mut one).await, [said("a", 2, ""), said("c", 2, "")]);
    let to_two = r#"{"event":"said","data":"d"}"#.to_owned();
    assert_eq!(frames(&mut two).await, [said("a", 2, ""), said("b", 2, ""), said("c", 2, ""), to_two]);
}

#[tokio::test(start_paused = true)]
async fn publisher_in_an_action_publishes_at_once() {
    for (end, status) in [(r#","fail""#, 409), ("", 200)] {
        let fixture = fixture();
        let (mut one, mut two) = (fixture.open(1, &[]).await, fixture.open(2, &[]).await);
        for client in [&mut one, &mut two] {
            act_ok(client, "", r#"{"join":2}"#).await;
        }
        fixture.state.group_gate.close();
        let steps = format!(r#"{{"say":[2,"after"]}},{{"say_at_once":[2,"now"]}},{{"join":4}}{end}"#);
        assert_eq!(act(&mut one, "", &steps).await.text(), said("now", 2, ""), "while the action waits");
        assert_eq!(frames(&mut two).await, [said("now", 2, "")]);
        fixture.state.group_gate.open();
        assert_eq!(one.reply().await.status(), status);
        let after = if status == 200 { vec![said("after", 2, "")] } else { vec![] };
        for client in [&mut one, &mut two] {
            assert_eq!(frames(client).await, after);
        }
    }
}
