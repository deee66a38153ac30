//! Events that are lost or of an unknown type.

use super::*;

#[tokio::test(start_paused = true)]
async fn lost_link_is_one_gap_and_only_for_those_that_receive_events() {
    let network = network();
    let (one, other, without) = (machine(&network, None), machine(&network, None), machine(&network, None));
    let hold = other.node.hold(Partition::of_user("7"));
    hold.subscribed().await;
    publish(&one, "Said");
    settle().await;
    assert_eq!(other.recorder.delivered(), 1);
    network.partition(1);
    network.partition(2);
    publish(&one, "Said");
    sleep(Duration::from_secs(20)).await;
    assert_eq!(gaps(&other), 0, "reported when it can be mended");
    network.heal(1);
    network.heal(2);
    sleep(Duration::from_secs(20)).await;
    assert_eq!(*other.recorder.links.lock().unwrap(), [true, false, true]);
    assert_eq!((other.recorder.delivered(), gaps(&other)), (1, 1));
    assert_eq!(gaps(&without), 0);
    publish(&one, "Said");
    settle().await;
    assert_eq!((other.recorder.delivered(), gaps(&other)), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn event_of_an_unknown_type_is_dropped_and_counted_and_a_gap() {
    let network = network();
    let (one, other) = (machine(&network, None), machine(&network, None));
    let hold = other.node.hold(Partition::of_user("7"));
    hold.subscribed().await;
    publish(&one, "Unknown");
    publish(&one, "Said");
    settle().await;
    assert_eq!(other.recorder.delivered(), 1);
    assert_eq!(other.node.counters.unknown.load(Ordering::Relaxed), 1);
    assert_eq!(gaps(&other), 1);
    assert_eq!(*other.recorder.missed.lock().unwrap(), [Partition::of_user("7").into()]);
}

#[tokio::test(start_paused = true)]
async fn event_of_an_unknown_type_to_several_groups_is_a_gap_of_all_of_them() {
    let network = network();
    let (one, other) = (machine(&network, None), machine(&network, None));
    let keys: [&[u8]; 3] = [b"1", b"2", b"3"];
    let partitions = keys.map(|key| Partition::of_group("Room", key));
    assert!(partitions[0] != partitions[1] && partitions[0] != partitions[2] && partitions[1] != partitions[2]);
    // It is not subscribed to the third one, which is no loss to anybody here.
    let holds = [other.node.hold(partitions[0]), other.node.hold(partitions[1])];
    for hold in &holds {
        hold.subscribed().await;
    }
    let target = Target::Groups { name: "Room", fingerprint: 1, keys: keys.to_vec() };
    one.node.publish_to_several(partitions.to_vec(), EventMessage { target, ..event("Unknown") });
    settle().await;
    assert_eq!(gaps(&other), 1);
    let gap = other.recorder.missed.lock().unwrap()[0];
    assert!(gap.contains(partitions[0]) && gap.contains(partitions[1]));
}
