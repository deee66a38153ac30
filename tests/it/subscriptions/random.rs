//! Random messages of several connections against a reference model of plain sets.

use portcullis::Publisher;
use portcullis::testing::Client;

use super::{Feed, Room, Said, act, fixture, frames, said};
use crate::common::rng::Rng;

/// The membership of one connection in one room.
#[derive(Clone, Default)]
struct Membership {
    joined: bool,
    ids: Vec<usize>,
}

impl Membership {
    fn is_member(&self) -> bool {
        self.joined || !self.ids.is_empty()
    }

    fn subscribe(&mut self, id: usize) {
        if !self.ids.contains(&id) {
            self.ids.push(id);
        }
    }
}

const ROOMS: usize = 2;
const CLIENTS: usize = 4;

/// Connections 0 and 1 are user 1's.
const USERS: [u32; CLIENTS] = [1, 1, 2, 3];

#[derive(Clone, Copy, Debug)]
enum Step {
    Join(usize),
    Leave(usize),
    Subscribe(usize),
    Unsubscribe(usize, usize),
    Say(usize),
    SayToOthers(usize),
    /// Both rooms, this one first.
    SayToSeveral(usize),
    SayToUser(u32),
}

impl Step {
    fn leaves(self) -> bool {
        matches!(self, Step::Leave(_) | Step::Unsubscribe(..))
    }

    /// Returns whether this step undoes an earlier step of the same action.
    fn undoes(self, earlier: Step, id: usize) -> bool {
        match (self, earlier) {
            (Step::Leave(left), Step::Join(room) | Step::Subscribe(room)) => left == room,
            (Step::Unsubscribe(left, ended), Step::Subscribe(room)) => left == room && ended == id,
            _ => false,
        }
    }

    /// A random step that changes memberships.
    fn change(rng: &mut Rng) -> Step {
        let room = rng.below(ROOMS);
        match rng.below(7) {
            0 => Step::Join(room),
            1 => Step::Leave(room),
            2..5 => Step::Subscribe(room),
            _ => Step::Unsubscribe(room, rng.below(4)),
        }
    }

    fn say(rng: &mut Rng) -> Step {
        let room = rng.below(ROOMS);
        match rng.below(5) {
            0 | 1 => Step::Say(room),
            2 => Step::SayToOthers(room),
            3 => Step::SayToSeveral(room),
            _ => Step::SayToUser(USERS[rng.below(CLIENTS)]),
        }
    }

    fn json(self, text: &str) -> String {
        match self {
            Step::Join(room) => format!(r#"{{"join":{room}}}"#),
            Step::Leave(room) => format!(r#"{{"leave":{room}}}"#),
            Step::Subscribe(room) => format!(r#"{{"subscribe":{room}}}"#),
            Step::Unsubscribe(room, id) => format!(r#"{{"unsubscribe":[{room},{id}]}}"#),
            Step::Say(room) => format!(r#"{{"say":[{room},"{text}"]}}"#),
            Step::SayToOthers(room) => format!(r#"{{"say_to_others":[{room},"{text}"]}}"#),
            Step::SayToSeveral(room) => format!(r#"{{"say_to_several":[[{room},{}],"{text}"]}}"#, 1 - room),
            Step::SayToUser(user) => format!(r#"{{"say_to_user":["{user}","{text}"]}}"#),
        }
    }
}

/// The memberships and the expected frames.
#[derive(Default)]
struct ReferenceModel {
    parts: [[Membership; ROOMS]; CLIENTS],
    wanted: [Vec<String>; CLIENTS],
    frames: usize,
}

impl ReferenceModel {
    /// Applies a successful action: leaves take effect before its reply, the rest in order after it. What it joins and
    /// leaves again is not joined at all.
    fn act(&mut self, client: usize, id: usize, steps: &[Step], text: &str) {
        for step in steps.iter().filter(|step| step.leaves()) {
            self.step(client, id, *step, text);
        }
        for (at, step) in steps.iter().enumerate().filter(|(_, step)| !step.leaves()) {
            if !steps[at..].iter().any(|later| later.undoes(*step, id)) {
                self.step(client, id, *step, text);
            }
        }
    }

    fn step(&mut self, client: usize, id: usize, step: Step, text: &str) {
        let parts = &mut self.parts[client];
        match step {
            Step::Join(room) => parts[room].joined = true,
            Step::Leave(room) => parts[room] = Membership::default(),
            Step::Subscribe(room) => parts[room].subscribe(id),
            Step::Unsubscribe(room, id) => parts[room].ids.retain(|known| *known != id),
            Step::Say(room) => self.say(&[room], text, None),
            Step::SayToOthers(room) => self.say(&[room], text, Some(client)),
            Step::SayToSeveral(room) => self.say(&[room, 1 - room], text, None),
            Step::SayToUser(user) => {
                for (at, _) in USERS.iter().enumerate().filter(|(_, known)| **known == user) {
                    self.wanted[at].push(format!(r#"{{"event":"said","data":"{text}"}}"#));
                }
            }
        }
    }

    fn say(&mut self, rooms: &[usize], text: &str, except: Option<usize>) {
        for (client, parts) in self.parts.iter().enumerate().filter(|(client, _)| except != Some(*client)) {
            let mut by = rooms.iter().filter(|room| parts[**room].is_member()).peekable();
            let Some(first) = by.peek().copied() else { continue };
            let mut ids: Vec<String> = Vec::new();
            for id in by.flat_map(|room| &parts[*room].ids).map(usize::to_string) {
                if !ids.contains(&id) {
                    ids.push(id);
                }
            }
            self.wanted[client].push(said(text, u32::try_from(*first).unwrap(), &ids.join(",")));
        }
    }

    async fn compare(&mut self, clients: &mut [Client], what: &str) {
        for (client, wanted) in clients.iter_mut().zip(&mut self.wanted) {
            assert_eq!(frames(client).await, *wanted, "{what}");
            self.frames += wanted.len();
            wanted.clear();
        }
    }
}

/// Uses the publisher: adds all connections of a user to a room, removes them, or publishes.
async fn act_from_publisher(rng: &mut Rng, model: &mut ReferenceModel, publisher: &Publisher<Feed>, text: &str) {
    let (room, user) = (rng.below(ROOMS), USERS[rng.below(CLIENTS)]);
    let group = Room { id: u32::try_from(room).unwrap() };
    let user_connections: Vec<usize> = (0..CLIENTS).filter(|client| USERS[*client] == user).collect();
    match rng.below(4) {
        0 => {
            assert_eq!(publisher.join(&user.to_string(), group).await, user_connections.len());
            for client in user_connections {
                model.parts[client][room].joined = true;
            }
        }
        1 => {
            publisher.leave(&user.to_string(), &group);
            for client in user_connections {
                model.parts[client][room] = Membership::default();
            }
        }
        _ => {
            publisher.publish(&group, Said(text.to_owned()));
            model.say(&[room], text, None);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn random_memberships_deliver_the_frames_of_the_reference_model() {
    let fixture = fixture();
    let mut clients = Vec::new();
    for user in USERS {
        clients.push(fixture.open(user, &[]).await);
    }
    let (mut rng, mut model) = (Rng(0x2545_f491_4f6c_dd1d), ReferenceModel::default());
    for round in 0..5000 {
        let text = round.to_string();
        if rng.below(6) == 0 {
            act_from_publisher(&mut rng, &mut model, &fixture.publisher, &text).await;
            model.compare(&mut clients, &text).await;
            continue;
        }
        let (client, id) = (rng.below(CLIENTS), rng.below(4));
        let mut steps: Vec<Step> = (0..rng.below(5)).map(|_| Step::change(&mut rng)).collect();
        for _ in 0..rng.below(3) {
            let at = rng.below(steps.len() + 1);
            steps.insert(at, Step::say(&mut rng));
        }
        let json: Vec<String> = steps.iter().map(|step| step.json(&text)).collect();
        let (fails, mut json) = (rng.below(8) == 0, json);
        if fails {
            json.push(r#""fail""#.to_owned());
        } else {
            model.act(client, id, &steps, &text);
        }
        let reply = act(&mut clients[client], &id.to_string(), &json.join(",")).await;
        assert_eq!(reply.status(), if fails { 409 } else { 200 }, "{round} {steps:?}");
        model.compare(&mut clients, &format!("{round} {client} {id} {steps:?}")).await;
    }
    assert!(model.frames > 5000, "too few frames: {}", model.frames);
}
