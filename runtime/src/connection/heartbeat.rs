//! When to ping, and when to give up.

use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// What the clock asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Beat {
    Ping,
    GiveUp,
}

/// The clock of one connection: a single timer, set again only when it has run out.
pub(super) struct Heartbeat {
    ping: Duration,
    idle: Duration,
    heard: Instant,
    next_ping: Instant,
    timer: Pin<Box<Sleep>>,
}

impl Heartbeat {
    pub(super) fn new(ping: Duration, idle: Duration) -> Heartbeat {
        let now = Instant::now();
        Heartbeat { ping, idle, heard: now, next_ping: now + ping, timer: Box::pin(sleep_until(now + ping.min(idle))) }
    }

    /// The client has shown that it is there.
    pub(super) fn heard(&mut self) {
        self.heard = Instant::now();
    }

    /// Waits until there is something to do. Cancel-safe.
    pub(super) async fn beat(&mut self) -> Beat {
        loop {
            self.timer.as_mut().await;
            let now = Instant::now();
            let end = self.heard + self.idle;
            if now >= end {
                return Beat::GiveUp;
            }
            let pinging = now >= self.next_ping;
            if pinging {
                self.next_ping = now + self.ping;
            }
            self.timer.as_mut().reset(self.next_ping.min(end));
            if pinging {
                return Beat::Ping;
            }
        }
    }
}
