//! `Limits::messages_per_connection` and the built-in actions `authenticate` and `cancel`.

use std::sync::Arc;
use std::time::Duration;

use portcullis::testing::{Client, connect};
use portcullis::{AllowAny, Endpoint, Limits, Rate, Result, consumer};
use tokio::sync::Notify;
use tokio::time::advance;

use crate::common::limits::without_heartbeat;
use crate::common::{Member, member};

#[derive(Default)]
struct Progress {
    started: Notify,
    finish: Notify,
}

struct Lodge(Arc<Progress>);

#[consumer(user = Member)]
impl Lodge {
    #[authenticate]
    async fn log_in(&self, id: u32) -> Result<Option<Member>> {
        Ok(Some(member(id, &[])))
    }

    #[action(permission = AllowAny)]
    async fn wait(&self) {
        self.0.started.notify_one();
        self.0.finish.notified().await;
    }

    #[action(permission = AllowAny)]
    async fn knock(&self) {}
}

fn endpoint(rate: Rate) -> (Endpoint<Lodge>, Arc<Progress>) {
    let progress = Arc::<Progress>::default();
    let limits = Limits { messages_per_connection: Some(rate), max_authenticate_per_minute: 3, ..without_heartbeat() };
    (portcullis::websocket(Lodge(progress.clone())).limits(limits).allow_cancel(), progress)
}

/// Receives a reply. Returns its request id and status.
async fn status(client: &mut Client) -> (u64, u16) {
    let reply = client.reply().await;
    (reply.value()["request_id"].as_u64().unwrap(), reply.status())
}

const LOG_IN: &str = r#"{"action":"authenticate","id":7,"request_id":1}"#;

#[tokio::test(start_paused = true)]
async fn message_to_authenticate_is_not_refused_by_the_rate_of_messages() {
    let (endpoint, _) = endpoint(Rate::per_hour(1).burst(1));
    let mut client = connect(&endpoint).open().await.unwrap();
    client.send(r#"{"action":"knock","request_id":0}"#);
    client.send(LOG_IN);
    assert_eq!([status(&mut client).await, status(&mut client).await], [(0, 200), (1, 204)]);
    client.send(LOG_IN);
    assert_eq!(client.closed().await, 4429, "it counts");
}

#[tokio::test(start_paused = true)]
async fn message_to_authenticate_above_the_rate_does_not_wait_for_a_running_action() {
    let (endpoint, progress) = endpoint(Rate::per_hour(1).burst(1));
    let mut client = connect(&endpoint).open().await.unwrap();
    client.send(r#"{"action":"wait","request_id":0}"#);
    progress.started.notified().await;
    client.send(LOG_IN);
    assert_eq!(status(&mut client).await, (1, 204));
    progress.finish.notify_one();
    assert_eq!(status(&mut client).await, (0, 200));
}

#[tokio::test(start_paused = true)]
async fn message_above_the_rate_that_waits_can_be_cancelled() {
    let (endpoint, progress) = endpoint(Rate::per_second(1).burst(2));
    let mut client = connect(&endpoint).open().await.unwrap();
    client.send(r#"{"action":"wait","request_id":0}"#);
    progress.started.notified().await;
    client.send(r#"{"action":"knock","request_id":1}"#);
    client.send(r#"{"action":"knock","request_id":2}"#);
    client.expect_silence().await;
    advance(Duration::from_secs(1)).await;
    client.send(r#"{"action":"cancel","request_id":3,"target":2}"#);
    client.send(r#"{"action":"cancel","request_id":4,"target":1}"#);
    assert_eq!([status(&mut client).await, status(&mut client).await], [(2, 499), (3, 204)]);
    client.expect_silence().await;
    progress.finish.notify_one();
    let statuses = [status(&mut client).await, status(&mut client).await, status(&mut client).await];
    assert_eq!(statuses, [(0, 200), (1, 200), (4, 429)], "a message to `cancel` counts, and waits if it is refused");
}
