//! What a test and the consumer that it serves share: a log, and semaphores that order their steps.

use std::fmt::Debug;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use portcullis::{Disconnect, DisconnectReason};
use tokio::sync::{Notify, Semaphore};

use super::Member;

pub struct Progress {
    /// What has happened, in order.
    log: Mutex<Vec<String>>,
    /// Has a permit for each action that has begun and not been awaited.
    pub started: Semaphore,
    /// Has a permit for each action that may go on.
    resume: Semaphore,
    /// Whether a permission of the consumer refuses.
    pub is_denied: AtomicBool,
    /// Notified when the disconnect hook has run.
    pub disconnected: Notify,
}

impl Progress {
    pub fn new() -> Arc<Progress> {
        let (log, started, resume) = (Mutex::default(), Semaphore::new(0), Semaphore::new(0));
        Arc::new(Progress { log, started, resume, is_denied: AtomicBool::new(false), disconnected: Notify::new() })
    }

    pub fn record(&self, entry: impl Into<String>) {
        self.log.lock().unwrap().push(entry.into());
    }

    pub fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// The wait of an action: counts it as started, and returns when the test lets it resume.
    pub async fn wait(&self) {
        self.started.add_permits(1);
        self.resume.acquire().await.unwrap().forget();
    }

    /// Lets `count` actions go on.
    pub fn resume(&self, count: usize) {
        self.resume.add_permits(count);
    }

    /// Waits until `count` further actions have begun.
    pub async fn started(&self, count: u32) {
        self.started.acquire_many(count).await.unwrap().forget();
    }

    /// The disconnect hook: records the reason and the groups that the connection has left.
    pub fn record_disconnect(&self, cx: &Disconnect<'_, Member>, left: impl Debug) {
        let reason = match cx.reason() {
            DisconnectReason::PeerGone => "peer gone".to_owned(),
            DisconnectReason::Closed { code, .. } => code.to_string(),
            reason => format!("{reason:?}"),
        };
        self.record(format!("disconnected: {reason}, left {left:?}"));
        self.disconnected.notify_one();
    }
}
