//! Random joins, departures, changes of rights, partitions and crashes on four machines: when the network is quiet, every machine
//! lists the same users as a plain oracle, and what was announced to each viewer adds up to its list.

use std::collections::BTreeSet;

use super::*;
use crate::common::rng::Rng;
use crate::simulation::{has_own_seeds, run_seeds};

const MACHINES: usize = 4;
const USERS: u32 = 6;
const ROUNDS: usize = 6;
const STEPS: usize = 12;
/// How often a machine may crash.
const MAX_CRASHES: usize = 8;
const TEAMS: [&str; 2] = ["red", "blue"];

/// The number of seeds that are run, see [`run_seeds`].
const SEEDS: u64 = 60;

struct Connection {
    client: Client,
    machine: usize,
    user: u32,
    is_member: bool,
}

struct Simulation {
    rng: Rng,
    seed: u64,
    clubs: Clubs,
    /// The place of each machine in the network. One that starts after a crash has another.
    places: [usize; MACHINES],
    next_place: usize,
    is_cut: [bool; MACHINES],
    /// One member of each machine that sees everyone, with what was announced to it.
    guards: Vec<(Client, BTreeSet<u32>)>,
    connections: Vec<Connection>,
}

impl Simulation {
    async fn new(seed: u64) -> Simulation {
        let (cluster, register) = (Cluster::new(MACHINES + MAX_CRASHES, seed), Arc::<Register>::default());
        let machine = |index| club(&register, without_timeouts()).broker(cluster.broker(index));
        let machines = (0..MACHINES).map(machine).collect();
        let clubs = Clubs { cluster, machines, register };
        let mut guards = Vec::new();
        for machine in 0..MACHINES {
            let user = 100 + u32::try_from(machine).unwrap();
            guards.push((clubs.guard(machine, user).await, BTreeSet::from([user])));
        }
        let rng = Rng(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let (places, next_place, is_cut) = (std::array::from_fn(|machine| machine), MACHINES, [false; MACHINES]);
        Simulation { rng, seed, clubs, places, next_place, is_cut, guards, connections: Vec::new() }
    }

    fn below(&mut self, limit: usize) -> usize {
        self.rng.below(limit)
    }

    async fn step(&mut self) {
        let (machine, user) = (self.below(MACHINES), self.rng.below(USERS));
        let index = self.connections.len().checked_sub(1).map(|last| self.rng.below(last + 1));
        match (self.below(13), index) {
            (0..3, _) => {
                let client = self.clubs.connect(machine, user).await;
                self.connections.push(Connection { client, machine, user, is_member: false });
            }
            (3..6, Some(index)) => {
                let Connection { client, is_member, .. } = &mut self.connections[index];
                enter(client, 1).await;
                *is_member = true;
            }
            (6, Some(index)) => {
                exit(&mut self.connections[index].client).await;
                self.connections[index].is_member = false;
            }
            (7, Some(index)) => drop(self.connections.swap_remove(index)),
            (8, _) => {
                let team = TEAMS[self.below(2)];
                self.clubs.register.set_team(user, team);
                // Their connections have the users of before.
                self.connections.retain(|connection| connection.user != user);
                let _ = self.clubs.machines[machine].connections().refresh_user(&user.to_string()).await;
            }
            (9, _) if !self.is_cut[machine] => {
                self.is_cut[machine] = true;
                self.clubs.cluster.partition(self.places[machine]);
            }
            (9 | 10, _) => self.heal(machine),
            (11, _) if self.next_place < MACHINES + MAX_CRASHES => self.crash(machine).await,
            _ => {
                let millis = [5, 50, 3000, 9000, 16_000][self.below(5)];
                sleep(Duration::from_millis(millis)).await;
            }
        }
    }

    fn heal(&mut self, machine: usize) {
        self.is_cut[machine] = false;
        self.clubs.cluster.heal(self.places[machine]);
    }

    /// Ends a machine without a word to the others, and starts another one in its place.
    async fn crash(&mut self, machine: usize) {
        self.clubs.cluster.crash(self.places[machine]);
        self.connections.retain(|connection| connection.machine != machine);
        self.places[machine] = self.next_place;
        self.next_place += 1;
        self.is_cut[machine] = false;
        let broker = self.clubs.cluster.broker(self.places[machine]);
        self.clubs.machines[machine] = club(&self.clubs.register, without_timeouts()).broker(broker);
        let user = 100 + u32::try_from(machine).unwrap();
        let mut guard = self.clubs.guard(machine, user).await;
        // From here on it is told of changes.
        let listed = online(&mut guard).await.into_iter().map(|(user, _)| user).collect();
        self.guards[machine] = (guard, listed);
    }

    /// Returns the users of room 1 with their numbers of connections, as far as a viewer of a team sees them.
    fn expected(&self, team: Option<&str>) -> Vec<(u32, u64)> {
        let mut users: BTreeMap<u32, u64> = BTreeMap::new();
        for user in (100..).take(MACHINES) {
            users.insert(user, 1);
        }
        for connection in self.connections.iter().filter(|connection| connection.is_member) {
            *users.entry(connection.user).or_default() += 1;
        }
        let is_visible = |user: &u32| team.is_none_or(|team| self.clubs.register.member(*user).roles == [team]);
        let mut users: Vec<_> = users.into_iter().filter(|(user, _)| is_visible(user)).collect();
        users.sort_unstable_by_key(|(user, _)| user.to_string());
        users
    }

    /// Lets all machines be connected for a while, and compares what they list.
    async fn compare(&mut self, round: usize) {
        (0..MACHINES).for_each(|machine| self.heal(machine));
        sleep(Duration::from_secs(20)).await;
        let place = format!("seed {} round {round}", self.seed);
        let expected = self.expected(None);
        for (client, announced) in &mut self.guards {
            while let Ok(event) = timeout(Duration::from_millis(1), client.event()).await {
                let user = event.data()["user"].as_str().unwrap().parse().unwrap();
                if event.data()["online"] == true {
                    announced.insert(user);
                } else {
                    announced.remove(&user);
                }
            }
            assert_eq!(online(client).await, expected, "{place}");
            assert_eq!(*announced, expected.iter().map(|(user, _)| *user).collect(), "{place}");
        }
        for machine in 0..MACHINES {
            for team in TEAMS {
                let viewer = connect(&self.clubs.machines[machine]).user(member(900, &[team]));
                let mut viewer = viewer.open().await.unwrap();
                assert_eq!(online(&mut viewer).await, self.expected(Some(team)), "{place} {team} on {machine}");
            }
        }
    }
}

async fn run(seed: u64) -> [u32; 1] {
    let (mut simulation, mut remote) = (Simulation::new(seed).await, 0);
    for round in 0..ROUNDS {
        for _ in 0..STEPS {
            simulation.step().await;
        }
        simulation.compare(round).await;
        let is_remote = |connection: &&Connection| connection.is_member && connection.machine > 0;
        remote += simulation.connections.iter().filter(is_remote).map(|_| 1).sum::<u32>();
    }
    [remote]
}

#[test]
fn machines_list_the_same_users_as_a_plain_oracle_when_the_network_is_quiet() {
    let [remote] = run_seeds(SEEDS, run);
    assert!(has_own_seeds() || remote > 250, "{remote} users of other machines were compared");
}
