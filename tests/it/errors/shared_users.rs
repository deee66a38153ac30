//! Users that are dropped on the task of another connection, which had the last handle to them.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};

use super::*;

/// Holds up a thread once, when it is armed.
#[derive(Default)]
pub(super) struct Gate(Mutex<Option<(Sender<()>, Receiver<()>)>>);

impl Gate {
    /// Arms the gate. The receiver gets a message when a thread arrives at the gate; dropping the sender lets it pass.
    fn arm(&self) -> (Receiver<()>, Sender<()>) {
        let (arrived, has_arrived) = channel();
        let (open, is_open) = channel();
        *self.0.lock().unwrap() = Some((arrived, is_open));
        (has_arrived, open)
    }

    pub(super) fn pass(&self) {
        let armed = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((arrived, is_open)) = armed {
            arrived.send(()).unwrap();
            // A test that failed opens it by dropping its end.
            let _ = is_open.recv();
        }
    }
}

/// Connection 1 publishes and waits at the gate while the event is authorized for connection 2.
async fn publish_and_stall(state: &Arc<State>, first: &mut Client) -> Sender<()> {
    let (has_arrived, open) = state.gate.arm();
    first.send(r#"{"action":"say","number":7,"request_id":"say"}"#);
    tokio::task::spawn_blocking(move || has_arrived.recv().unwrap()).await.unwrap();
    open
}

/// Asserts that connection 1 gets its reply and its event and stays open.
async fn assert_publisher_alive(first: &mut Client) {
    let reply = first.reply().await;
    assert_eq!((reply.value()["request_id"].as_str(), reply.status()), (Some("say"), 200), "{reply:?}");
    assert_eq!(first.reply().await.data(), 7);
    assert_alive(first).await;
}

async fn authenticate(client: &mut Client, explodes: bool) {
    let reply = client.call("authenticate").with("id", 2).with("explodes", explodes).await;
    assert_eq!(reply.status(), 204, "{reply:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn replaced_user_whose_drop_panics_does_not_harm_a_publisher() {
    let (state, chat) = chat();
    let (mut first, mut second) = (open(&chat, member(1)).await, open(&chat, member(2)).await);
    authenticate(&mut second, true).await;
    let open = publish_and_stall(&state, &mut first).await;
    // From here on the publisher holds the last handle to the explosive user.
    authenticate(&mut second, false).await;
    drop(open);
    assert_publisher_alive(&mut first).await;
    assert_eq!(second.reply().await.data(), 7);
    assert_alive(&mut second).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn user_of_an_ended_connection_whose_drop_panics_does_not_harm_a_publisher() {
    let (state, chat) = chat();
    let (mut first, second) = (open(&chat, member(1)).await, open(&chat, explosive(2)).await);
    let open = publish_and_stall(&state, &mut first).await;
    drop(second);
    state.gone.notified().await;
    drop(open);
    assert_publisher_alive(&mut first).await;
}
