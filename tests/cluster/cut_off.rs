//! Machines that close their connections when they are cut off.

use std::sync::Arc;
use std::time::Duration;

use http::request::Parts;
use portcullis::testing::{Cluster, Rejected};
use portcullis::{Authenticate, Propagation};
use tokio::time::{Instant, sleep, timeout};

use super::simulation::{has_own_seeds, run_seeds};
use super::*;
use crate::common::rng::Rng;

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
    connect(endpoint).user(member(2, &[])).open().await.map_or_else(Rejected::status, |_| 101)
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
async fn missed_disconnect_has_no_known_time_if_a_machine_keeps_its_connections() {
    let (cluster, database) = (Cluster::new(3, 7), Arc::<Database>::default());
    let (one, _other) = (machine(&cluster, 0, &database), machine(&cluster, 1, &database));
    let keeping = portcullis::websocket(Service(database.clone())).grants(Rights(database));
    let keeping = keeping.broker(cluster.broker(2));
    sleep(Duration::from_secs(15)).await;
    let mut client = open(&keeping, 2).await;
    for index in [2, 1] {
        cluster.partition(index);
        let propagation = one.connections().disconnect_user("2").await;
        assert!(matches!(propagation, Propagation::Incomplete { safe_after: None, .. }), "{propagation:?}");
    }
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

/// The number of seeds that are run, see [`run_seeds`].
const SEEDS: u64 = 100;
const MACHINES: usize = 3;
const USERS: u32 = 4;

/// Opens a connection to any machine that accepts it.
async fn connect_to_any(machines: &[Endpoint<Service>], user: u32, rng: &mut Rng) -> Client {
    loop {
        let machine = &machines[rng.below(MACHINES)];
        if let Ok(client) = connect(machine).user(member(user, &[])).open().await {
            return client;
        }
        sleep(Duration::from_millis(500)).await;
    }
}

/// Disconnects users while machines are cut off and come back at random. Returns the numbers of calls that were acknowledged, safe
/// after a time, and local.
async fn disconnect_at_random(seed: u64) -> [u32; 3] {
    let (cluster, database) = (Cluster::new(MACHINES, seed), Arc::<Database>::default());
    let machines: Vec<_> = (0..MACHINES).map(|index| machine(&cluster, index, &database)).collect();
    let mut rng = Rng(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    sleep(Duration::from_secs(15)).await;
    let mut outcomes = [0; 3];
    for _ in 0..30 {
        let machine = rng.below(MACHINES);
        match rng.below(5) {
            0 => cluster.partition(machine),
            1 | 2 => cluster.heal(machine),
            _ => {
                let user = rng.below(USERS);
                let mut client = connect_to_any(&machines, user, &mut rng).await;
                sleep(Duration::from_millis(rng.below(3000))).await;
                // A machine that has been cut off for longer than this is not waited for.
                let (outcome, wait) = match machines[machine].connections().disconnect_user(&user.to_string()).await {
                    Propagation::Acknowledged { .. } => (0, Some(MAX_SILENCE)),
                    Propagation::Incomplete { safe_after, .. } => (1, Some(safe_after.unwrap())),
                    _ => (2, None),
                };
                outcomes[outcome] += 1;
                if let Some(wait) = wait {
                    let code = timeout(wait, client.closed()).await;
                    assert!(matches!(code, Ok(1013 | 4403)), "seed {seed}: {code:?} in {wait:?}");
                }
            }
        }
        sleep(Duration::from_millis(rng.below(5000))).await;
        // If all machines were cut off, `connect_to_any` would wait for ever.
        cluster.heal(rng.below(MACHINES));
    }
    outcomes
}

#[test]
fn disconnect_holds_on_all_machines_whatever_is_cut_off_meanwhile() {
    let sums = run_seeds(SEEDS, disconnect_at_random);
    assert!(has_own_seeds() || sums.iter().all(|sum| *sum > 50), "{sums:?}");
}
