//! Random messages of several connections against plain sets: each gets the very frames that these say.

use portcullis::Publisher;
use portcullis::testing::Client;

use super::{Feed, Room, Said, act, frames, said, world};
use crate::common::rng::Dice;

/// What one connection has to do with one room.
#[derive(Clone, Default)]
struct Part {
    joined: bool,
    ids: Vec<usize>,
}

impl Part {
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

    /// Whether nothing is left of an earlier step of the action of that id.
    fn undoes(self, earlier: Step, id: usize) -> bool {
        match (self, earlier) {
            (Step::Leave(left), Step::Join(room) | Step::Subscribe(room)) => left == room,
            (Step::Unsubscribe(left, ended), Step::Subscribe(room)) => left == room && ended == id,
            _ => false,
        }
    }

    /// What it does to who belongs where, and to the frames: nothing is said by these.
    fn change(dice: &mut Dice) -> Step {
        let room = dice.roll(ROOMS);
        match dice.roll(7) {
            0 => Step::Join(room),
            1 => Step::Leave(room),
            2..5 => Step::Subscribe(room),
            _ => Step::Unsubscribe(room, dice.roll(4)),
        }
    }

    fn say(dice: &mut Dice) -> Step {
        let room = dice.roll(ROOMS);
        match dice.roll(5) {
            0 | 1 => Step::Say(room),
            2 => Step::SayToOthers(room),
            3 => Step::SayToSeveral(room),
            _ => Step::SayToUser(USERS[dice.roll(CLIENTS)]),
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

/// Who belongs where, and what everybody is to get.
#[derive(Default)]
struct Oracle {
    parts: [[Part; ROOMS]; CLIENTS],
    wanted: [Vec<String>; CLIENTS],
    frames: usize,
}

impl Oracle {
    /// An action that ends well: what it leaves it leaves before its reply, and the rest comes in order after it. What it
    /// joins and leaves again is not joined at all.
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
            Step::Leave(room) => parts[room] = Part::default(),
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

/// From outside: all connections of a user are let into a room or taken out of it, or something is said.
async fn from_outside(dice: &mut Dice, oracle: &mut Oracle, publisher: &Publisher<Feed>, text: &str) {
    let (room, user) = (dice.roll(ROOMS), USERS[dice.roll(CLIENTS)]);
    let group = Room { id: u32::try_from(room).unwrap() };
    let theirs: Vec<usize> = (0..CLIENTS).filter(|client| USERS[*client] == user).collect();
    match dice.roll(4) {
        0 => {
            assert_eq!(publisher.join(&user.to_string(), group).await, theirs.len());
            for client in theirs {
                oracle.parts[client][room].joined = true;
            }
        }
        1 => {
            publisher.leave(&user.to_string(), &group);
            for client in theirs {
                oracle.parts[client][room] = Part::default();
            }
        }
        _ => {
            publisher.publish(&group, Said(text.to_owned()));
            oracle.say(&[room], text, None);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn random_memberships_deliver_the_frames_of_the_reference_model() {
    let world = world();
    let mut clients = Vec::new();
    for user in USERS {
        clients.push(world.open(user, &[]).await);
    }
    let (mut dice, mut oracle) = (Dice(0x2545_f491_4f6c_dd1d), Oracle::default());
    for round in 0..5000 {
        let text = round.to_string();
        if dice.roll(6) == 0 {
            from_outside(&mut dice, &mut oracle, &world.publisher, &text).await;
            oracle.compare(&mut clients, &text).await;
            continue;
        }
        let (client, id) = (dice.roll(CLIENTS), dice.roll(4));
        let mut steps: Vec<Step> = (0..dice.roll(5)).map(|_| Step::change(&mut dice)).collect();
        for _ in 0..dice.roll(3) {
            let at = dice.roll(steps.len() + 1);
            steps.insert(at, Step::say(&mut dice));
        }
        let json: Vec<String> = steps.iter().map(|step| step.json(&text)).collect();
        let (fails, mut json) = (dice.roll(8) == 0, json);
        if fails {
            json.push(r#""fail""#.to_owned());
        } else {
            oracle.act(client, id, &steps, &text);
        }
        let reply = act(&mut clients[client], &id.to_string(), &json.join(",")).await;
        assert_eq!(reply.status(), if fails { 409 } else { 200 }, "{round} {steps:?}");
        oracle.compare(&mut clients, &format!("{round} {client} {id} {steps:?}")).await;
    }
    assert!(oracle.frames > 5000, "enough was said: {}", oracle.frames);
}
