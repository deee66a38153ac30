//! Histories that several machines share through a broker.

use std::time::Duration;

use portcullis::testing::Cluster;
use portcullis::{Broker, MemoryBroker};

use super::brokers::{Brokers, with_each};
use super::*;

const KEY: [u8; 32] = [7; 32];

/// A room in the partition of the room `5`.
const SAME_PARTITION: &str = "129";

pub(crate) fn machine(brokers: &Brokers, database: &Arc<Database>) -> Endpoint<Service> {
    brokers.attach(endpoint_with(database).cluster_key(KEY))
}

/// Waits until a machine has heard of this number of others.
pub(crate) async fn wait_until_known(machine: &Endpoint<Service>, count: u64) {
    let known = async {
        while machine.snapshot().cluster.unwrap().other_machines < count {
            // A machine reports nothing when it hears of another one.
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), known).await.expect("the machines do not hear each other");
}

#[tokio::test]
async fn connection_resumes_on_another_machine() {
    with_each(async |brokers| {
        let database: Arc<Database> = Arc::default();
        let [one, other] = [(); 2].map(|()| machine(&brokers, &database));
        wait_until_known(&one, 1).await;
        let (mut here, _) = enter(&one, 1).await;
        let (mut there, _) = enter(&other, 2).await;
        say(&one, "seen");
        let position = expect_text(&mut here, "seen").await;
        expect_text(&mut there, "seen").await;
        here.close().await;
        say(&one, "one");
        say_secretly(&one, "secret");
        say(&other, "two");
        // Those of one machine are in order. The position of the last one shows that all have arrived.
        for _ in 0..2 {
            assert!(["one", "two"].contains(&there.event().await.data().as_str().unwrap()));
        }
        let (mut resumed, has_recovered) = resume(&other, 1, &position).await;
        assert!(has_recovered);
        let mut texts = [resumed.event().await, resumed.event().await].map(|event| event.data().clone());
        texts.sort_by_key(Value::to_string);
        assert_eq!(texts, ["one", "two"]);
        say(&one, "three");
        let after_three = expect_text(&mut resumed, "three").await;
        expect_text(&mut there, "three").await;
        let (mut up_to_date, has_recovered) = resume(&one, 1, &after_three).await;
        assert!(has_recovered);
        up_to_date.expect_silence().await;
        drop((resumed, up_to_date));
        for number in 0..9 {
            say(&one, &number.to_string());
        }
        for number in 0..9 {
            expect_text(&mut there, &number.to_string()).await;
        }
        assert!(!resume(&one, 1, &after_three).await.1, "eight are kept");
        one.publisher().purge(&room("5")).await.unwrap();
        let (_, after_purge) = enter(&other, 3).await;
        assert!(resume(&one, 3, &after_purge).await.1);
    })
    .await;
}

#[tokio::test]
async fn action_publishes_to_both_machines_and_its_own_connection_after_the_reply() {
    with_each(async |brokers| {
        let database: Arc<Database> = Arc::default();
        let [one, other] = [(); 2].map(|()| machine(&brokers, &database));
        wait_until_known(&one, 1).await;
        let (mut speaker, _) = enter(&one, 1).await;
        let (mut listener, _) = enter(&other, 2).await;
        for text in ["first", "second"] {
            assert_eq!(speaker.call("say").with("room", "5").with("text", text).await.status(), 200);
        }
        let to_others = speaker.call("say_to_others").with("room", "5").with("text", "third");
        assert_eq!(to_others.await.status(), 200);
        assert_eq!(speaker.call("say").with("room", "5").with("text", "fourth").await.status(), 200);
        expect_texts(&mut speaker, &["first", "second", "fourth"]).await;
        expect_texts(&mut listener, &["first", "second", "third", "fourth"]).await;
    })
    .await;
}

#[tokio::test]
async fn positions_of_machines_without_a_common_key_recover_nothing() {
    let broker = MemoryBroker::new();
    let [one, other] = [(); 2].map(|()| endpoint().broker(broker.clone()));
    wait_until_known(&one, 1).await;
    let (_client, position) = enter(&one, 1).await;
    assert!(resume(&one, 1, &position).await.1);
    assert!(!resume(&other, 1, &position).await.1);
}

#[tokio::test]
async fn events_of_two_groups_of_a_partition_arrive_however_late_each_is() {
    with_each(async |brokers| {
        let database: Arc<Database> = Arc::default();
        let [one, other] = [(); 2].map(|()| machine(&brokers, &database));
        wait_until_known(&one, 1).await;
        let (mut here, _) = enter(&one, 2).await;
        // From before the other machine has subscribed.
        say(&one, "zero");
        expect_text(&mut here, "zero").await;
        let (mut client, _) = enter(&other, 1).await;
        let reply = client.call("enter").with("room", SAME_PARTITION).await;
        assert_eq!(reply.status(), 200, "{reply:?}");
        let publisher = one.publisher();
        let say_there = |text: &str| {
            publisher.publish(&room(SAME_PARTITION), Said { text: text.to_owned(), is_secret: false });
        };
        say(&one, "first");
        say_there("second");
        say_there("third");
        let mut texts = Vec::new();
        for _ in 0..3 {
            texts.push(client.event().await.data().as_str().unwrap().to_owned());
        }
        texts.retain(|text| text != "first");
        assert_eq!(texts, ["second", "third"]);
        assert_eq!(other.snapshot().cluster.unwrap().gaps, 0);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn resume_during_which_events_are_lost_closes_the_connection() {
    let (cluster, database) = (Cluster::new(2, 1), Arc::<Database>::default());
    let machine = |index| endpoint_with(&database).cluster_key(KEY).broker(cluster.broker(index));
    let (one, other) = (machine(0), machine(1));
    wait_until_known(&one, 1).await;
    wait_until_known(&other, 1).await;
    let (mut there, position) = enter(&other, 2).await;
    let mut client = open(&one, 1).await;
    enter_and_wait(&database, &mut client, &position).await;
    cluster.partition(0);
    say(&other, "lost here");
    let after = expect_text(&mut there, "lost here").await;
    while one.snapshot().cluster.unwrap().is_connected {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    cluster.heal(0);
    while one.snapshot().cluster.unwrap().gaps == 0 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    database.may_end.notify_one();
    assert_eq!(client.closed().await, 1013);
    let (mut resumed, has_recovered) = resume(&one, 1, &position).await;
    assert!(has_recovered);
    assert_eq!(resumed.event().await.data(), "lost here");
    assert!(resume(&one, 1, &after).await.1);
}

fn on(broker: impl Broker) -> Endpoint<Service> {
    endpoint().cluster_key(KEY).broker(broker)
}

#[tokio::test(start_paused = true)]
async fn machine_that_is_cut_off_publishes_nothing_and_resumes_nothing() {
    let cluster = Cluster::new(2, 1);
    let (one, other) = (on(cluster.broker(0)), on(cluster.broker(1)));
    wait_until_known(&one, 1).await;
    wait_until_known(&other, 1).await;
    let (mut here, position) = enter(&one, 1).await;
    let (mut there, _) = enter(&other, 2).await;
    say(&other, "before");
    let after_before = expect_text(&mut here, "before").await;
    expect_text(&mut there, "before").await;
    cluster.partition(0);
    while one.snapshot().cluster.unwrap().is_connected {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let refused = here.call("say").with("room", "5").with("text", "lost").await;
    assert_eq!((refused.status(), refused.code()), (503, "broker_unavailable"));
    say(&one, "lost too");
    let mut cut_off = open(&one, 3).await;
    let resumed = join(&mut cut_off, "enter", &position).await;
    assert_eq!(resumed, serde_json::json!({ "recovered": false, "position": null }));
    say(&other, "meanwhile");
    expect_text(&mut there, "meanwhile").await;
    cluster.heal(0);
    while !one.snapshot().cluster.unwrap().is_connected {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    here.expect_silence().await;
    let (mut resumed, has_recovered) = resume(&one, 1, &after_before).await;
    assert!(has_recovered);
    expect_texts(&mut resumed, &["meanwhile"]).await;
    say(&one, "after");
    for client in [&mut here, &mut there, &mut resumed, &mut cut_off] {
        expect_texts(client, &["after"]).await;
    }
}
