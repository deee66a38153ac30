//! Whom an action's events reach, and when: after a reply that is no error, or at once.

use super::{act, done, frames, said, world};

const NOTHING: Vec<String> = Vec::new();

#[tokio::test(start_paused = true)]
async fn publication_to_several_groups_arrives_once_per_member() {
    let world = world();
    let (mut one, mut two, mut three) = (world.open(1, &[]).await, world.open(2, &[]).await, world.open(3, &[]).await);
    done(&mut one, "", r#"{"join":1},{"join":2}"#).await;
    done(&mut two, "", r#"{"join":2}"#).await;
    done(&mut three, "", r#"{"join":4}"#).await;
    let reply = act(&mut one, "", r#"{"say_to_several":[[3,2,1,2],"hello"]}"#).await;
    assert_eq!(reply.status(), 200, "the reply comes first");
    assert_eq!(frames(&mut one).await, [said("hello", 2, "")]);
    assert_eq!(frames(&mut two).await, [said("hello", 2, "")]);
    assert_eq!(frames(&mut three).await, NOTHING);
    done(&mut three, "", r#"{"say_to_several":[[],"to nobody"]}"#).await;
    done(&mut three, "", r#"{"say_to_several":[[1,2],"from outside"]}"#).await;
    assert_eq!(frames(&mut one).await, [said("from outside", 1, "")]);
    assert_eq!(frames(&mut two).await, [said("from outside", 2, "")]);
    assert_eq!(frames(&mut three).await, NOTHING);
}

#[tokio::test(start_paused = true)]
async fn publication_to_a_user_arrives_on_all_connections() {
    let world = world();
    let (mut one, mut twin, mut two) = (world.open(1, &[]).await, world.open(1, &[]).await, world.open(2, &[]).await);
    let mut hush = world.open(4, &["hush"]).await;
    let to_you = r#"{"event":"said","data":"to you"}"#;
    done(&mut two, "", r#"{"say_to_user":["1","to you"]}"#).await;
    for client in [&mut one, &mut twin] {
        assert_eq!(frames(client).await, [to_you]);
    }
    assert_eq!(act(&mut one, "", r#"{"say_to_user":["1","to you"]}"#).await.status(), 200, "the reply comes first");
    for client in [&mut one, &mut twin] {
        assert_eq!(frames(client).await, [to_you], "the sender's own too");
    }
    done(&mut one, "", r#"{"say_to_user":["4","to you"]},{"say_to_user":["nobody","to you"]}"#).await;
    for client in [&mut one, &mut twin, &mut two, &mut hush] {
        assert_eq!(frames(client).await, NOTHING, "an event's permission is asked here too");
    }
}

#[tokio::test(start_paused = true)]
async fn publication_to_others_skips_only_the_publishing_connection() {
    let world = world();
    let (mut one, mut twin, mut two) = (world.open(1, &[]).await, world.open(1, &[]).await, world.open(2, &[]).await);
    done(&mut one, "1", r#"{"subscribe":2},{"join":2}"#).await;
    for client in [&mut twin, &mut two] {
        done(client, "1", r#"{"subscribe":2}"#).await;
    }
    assert_eq!(act(&mut one, "", r#"{"say_to_others":[2,"psst"]}"#).await.status(), 200);
    assert_eq!(frames(&mut one).await, NOTHING);
    for client in [&mut twin, &mut two] {
        assert_eq!(frames(client).await, [said("psst", 2, "1")], "the same user's other socket is another");
    }
}

#[tokio::test(start_paused = true)]
async fn publications_of_a_failed_action_are_discarded() {
    let world = world();
    let (mut one, mut two) = (world.open(1, &[]).await, world.open(2, &[]).await);
    for client in [&mut one, &mut two] {
        done(client, "", r#"{"join":2}"#).await;
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
        let world = world();
        let (mut one, mut two) = (world.open(1, &[]).await, world.open(2, &[]).await);
        for client in [&mut one, &mut two] {
            done(client, "", r#"{"join":2}"#).await;
        }
        world.truth.door.shut();
        let steps = format!(r#"{{"say":[2,"after"]}},{{"say_at_once":[2,"now"]}},{{"join":4}}{end}"#);
        assert_eq!(act(&mut one, "", &steps).await.text(), said("now", 2, ""), "while the action waits");
        assert_eq!(frames(&mut two).await, [said("now", 2, "")]);
        world.truth.door.open();
        assert_eq!(one.reply().await.status(), status);
        let after = if status == 200 { vec![said("after", 2, "")] } else { vec![] };
        for client in [&mut one, &mut two] {
            assert_eq!(frames(client).await, after);
        }
    }
}
