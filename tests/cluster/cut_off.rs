//! Machines that close their connections when they are cut off.

use std::sync::Arc;
use std::time::Duration;

use http::request::Parts;
use portcullis::testing::Cluster;
use portcullis::{Authenticate, Propagation};
use tokio::time::{Instant, sleep, timeout};

use super::*;

/// How long a machine that is cut off may keep its connections.
const MAX_SILENCE: Duration = Duration::from_secs(11);

/// Two machines that know each other.
struct Pair {
    cluster: Cluster,
    one: Endpoint<Service>,
    other: Endpoint<Service>,
}

fn machine(cluster: &Cluster, index: usize, database: &Arc<Database>) -> Endpoint<Service> {
    let endpoint = portcullis::websocket(Service(database.clone())).grants(Rights(database.clone()));
    endpoint.close_when_cut_off().broker(cluster.broker(index))
}

async fn pair() -> Pair {
    let (cluster, database) = (Cluster::new(2, 7), Arc::<Database>::default());
    let (one, other) = (machine(&cluster, 0, &database), machine(&cluster, 1, &database));
    sleep(Duration::from_secs(15)).await;
    Pair { cluster, one, other }
}

/// Returns the status of a handshake.
async fn handshake(endpoint: &Endpoint<Service>) -> u16 {
    connect(endpoint).user(member(2, &[])).open().await.map_or_else(|error| error.status(), |_| 101)
}

#[tokio::test(start_paused = true)]
async fn disconnect_that_a_machine_misses_holds_after_a_known_time() {
    let Pair { cluster, one, other } = pair().await;
    let (mut client, mut here) = (open(&other, 2).await, open(&one, 3).await);
    cluster.partition(1);
    let cut_at = Instant::now();
    let propagation = one.connections().disconnect_user("2").await;
    let Propagation::Incomplete { safe_after: Some(safe_after), missing, .. } = propagation else {
        panic!("{propagation:?}")
    };
    assert_eq!(missing.len(), 1);
    assert!(safe_after <= MAX_SILENCE, "{safe_after:?}");
    assert_eq!(timeout(safe_after, client.closed()).await, Ok(1013));
    assert!(cut_at.elapsed() <= Duration::from_secs(6), "{:?}", cut_at.elapsed());
    assert_eq!(handshake(&other).await, 503);
    // What a machine does that is connected to the broker does not depend on the others.
    assert_eq!(here.call("id").await.status(), 200);
    cluster.heal(1);
    sleep(Duration::from_secs(2)).await;
    let mut client = open(&other, 2).await;
    sleep(MAX_SILENCE).await;
    assert_eq!(client.call("id").await.status(), 200);
}

#[tokio::test(start_paused = true)]
async fn connections_are_closed_if_a_disconnect_may_have_been_missed_in_a_short_outage() {
    let Pair { cluster, one, other } = pair().await;
    let mut client = open(&other, 2).await;
    cluster.partition(1);
    // By then it has noticed.
    sleep(Duration::from_secs(2)).await;
    assert_eq!(handshake(&other).await, 503);
    let _ = one.connections().disconnect_user("2").await;
    cluster.heal(1);
    assert_eq!(timeout(Duration::from_secs(3), client.closed()).await, Ok(1013));
}

#[tokio::test(start_paused = true)]
async fn no_connection_is_accepted_before_the_broker_is_connected() {
    let (cluster, database) = (Cluster::new(1, 7), Arc::<Database>::default());
    cluster.partition(0);
    let one = machine(&cluster, 0, &database);
    assert_eq!(handshake(&one).await, 503);
    cluster.heal(0);
    sleep(Duration::from_secs(5)).await;
    let mut client = open(&one, 2).await;
    sleep(MAX_SILENCE).await;
    assert_eq!(client.call("id").await.status(), 200);
}

#[tokio::test(start_paused = true)]
async fn handshake_that_is_in_progress_when_the_machine_is_cut_off_leads_to_no_connection() {
    let (cluster, database) = (Cluster::new(1, 7), Arc::<Database>::default());
    let endpoint = portcullis::websocket(Service(database.clone())).grants(Rights(database));
    let endpoint = endpoint.close_when_cut_off().authenticate(SlowLogin).broker(cluster.broker(0));
    sleep(Duration::from_secs(5)).await;
    let (connecting, outage) = tokio::join!(connect(&endpoint).open(), async {
        sleep(Duration::from_millis(100)).await;
        cluster.partition(0);
        sleep(Duration::from_millis(100)).await;
        cluster.heal(0);
        Instant::now()
    });
    assert!(outage.elapsed() > Duration::from_secs(1));
    let mut client = connecting.unwrap();
    assert_eq!(client.closed().await, 4500);
}

/// Takes several seconds to tell who the user is.
struct SlowLogin;

impl Authenticate<Member> for SlowLogin {
    async fn authenticate(&self, _: &Parts) -> Result<Option<Member>> {
        sleep(Duration::from_secs(4)).await;
        Ok(Some(member(2, &[])))
    }
}
