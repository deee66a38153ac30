//! Connections that begin and end in many ways leave no group member and no registered user behind.

use std::time::Duration;

use portcullis::Publisher;
use portcullis::testing::connect;
use tokio::time::timeout;

use super::{House, Lobby, Room, Said, Search, State, house, member};

const ROUNDS: u64 = 40;
const CONNECTIONS: u64 = 50;
const ROOMS: u32 = 4;
const USERS: u32 = 10;

/// Pseudo-random numbers that are the same in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(self.0 >> 33).unwrap() % end
    }

    fn message(&mut self, user: u32, step: u32) -> String {
        let (room, other) = (self.below(ROOMS), self.below(ROOMS));
        match self.below(9) {
            0 => format!(r#"{{"action":"subscribe","room":{room},"request_id":{step}}}"#),
            1 => format!(r#"{{"action":"unsubscribe","room":{room},"subscription":{step}}}"#),
            2 => format!(r#"{{"action":"move_between","leave":[],"join":[{room}]}}"#),
            3 => format!(r#"{{"action":"move_between","leave":[{room}],"join":[{other}]}}"#),
            4 | 5 => format!(r#"{{"action":"enter_detached","room":{room}}}"#),
            6 => format!(r#"{{"action":"authenticate","token":"{user}"}}"#),
            7 => r#"{"action":"hold"}"#.to_owned(),
            _ => format!(r#"{{"action":"ban","user":"{}"}}"#, self.below(3 * USERS)),
        }
    }
}

/// Returns whether a group has a member or a user id is registered.
fn has_members(state: &State, publisher: &Publisher<House>) -> bool {
    let found = state.find(|| {
        publisher.publish(&Lobby, Search);
        for room in 0..ROOMS {
            publisher.publish(&Room(room), Search);
        }
        for user in 0..USERS {
            publisher.publish_to_user(&user.to_string(), Search);
        }
    });
    found > 0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn registry_is_empty_after_all_connections_have_ended() {
    let (state, house) = house();
    let mut random = Random(42);
    for _ in 0..ROUNDS {
        let mut clients = Vec::new();
        for _ in 0..CONNECTIONS {
            let user = random.below(USERS);
            let connecting = connect(&house);
            let stranger = random.below(3) == 0;
            let connecting = if stranger { connecting } else { connecting.user(member(&user.to_string())) };
            let Ok(mut client) = connecting.open().await else { continue };
            for step in 0..random.below(12) {
                client.send(random.message(user, step));
            }
            clients.push(client);
            let (publisher, connections, room) = (house.publisher(), house.connections(), random.below(ROOMS));
            let user = user.to_string();
            match random.below(4) {
                0 => drop(tokio::spawn(async move { publisher.join(&user, Room(room)).await })),
                1 => drop(tokio::spawn(connections.refresh_user(&user).revalidated())),
                2 => drop(tokio::spawn(async move { publisher.publish(&Room(room), Said(1)) })),
                _ => {}
            }
            if random.below(2) == 0 {
                let at = random.below(u32::try_from(clients.len()).unwrap());
                drop(clients.swap_remove(at as usize));
            }
        }
    }
    let publisher = house.publisher();
    let all_gone = async {
        while has_members(&state, &publisher) {
            // Actions that wait run on after the end of their connection.
            state.resume.notify_waiters();
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(20), all_gone).await.expect("no connection is left");
}
