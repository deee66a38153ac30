//! Rights change while an action runs: it is authorized again before its reply is sent, and ends with 403 if its caller
//! lost the right.

mod action_kinds;
mod failures;
mod handlers;
mod kept_answers;
mod objects;
mod own_changes;
mod roles;
mod slow_reader;
mod state;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use portcullis::testing::{Client, Reply, connect};
use portcullis::{Connections, Endpoint, Limits};

use crate::common::codenames::uploads;
use crate::common::limits::without_heartbeat;
use crate::common::{Member, member};
use handlers::{Desk, Rooms, Shelf};
use state::{FakeGrants, State};

portcullis::permissions! {
    desk { work = "Works at the desk", lead = "Leads" }
}

struct Fixture {
    state: Arc<State>,
    desk: Endpoint<Desk>,
    connections: Connections<Desk>,
}

fn fixture() -> Fixture {
    let state = State::new();
    let limits = Limits { action_timeout: Duration::from_secs(5), ..without_heartbeat() };
    let rooms = Rooms { state: state.clone(), shelf: Shelf(state.clone()) };
    let desk = portcullis::websocket(Desk { state: state.clone(), rooms });
    let desk = desk.grants(FakeGrants(state.clone())).limits(limits);
    let connections = desk.connections();
    Fixture { state, desk, connections }
}

impl Fixture {
    async fn open(&self, id: u32) -> Client {
        let mut client = connect(&self.desk).user(member(id, &[])).open().await.unwrap();
        assert_eq!(client.call("ping").await.status(), 200);
        client
    }

    /// Sends a message and changes rights while its action runs.
    async fn change_during(&self, client: &mut Client, message: &str, change: impl FnOnce(&State)) {
        client.send(message);
        self.state.started.notified().await;
        change(&self.state);
        assert!(self.connections.refresh_user("1").revalidated().await.is_acknowledged());
        self.state.resume();
    }

    /// Does so and returns the next reply.
    async fn reply_after(&self, client: &mut Client, message: &str, change: impl FnOnce(&State)) -> Reply {
        self.change_during(client, message, change).await;
        client.reply().await
    }

    fn take_runs(&self) -> usize {
        self.state.runs.swap(0, Ordering::SeqCst)
    }
}

fn call(action: &str) -> String {
    format!(r#"{{"action":"{action}","request_id":"it"}}"#)
}

async fn assert_alive(client: &mut Client) {
    assert_eq!(client.call("ping").await.data(), "pong", "the connection is open");
    client.expect_silence().await;
}
