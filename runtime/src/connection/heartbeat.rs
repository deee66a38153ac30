//! When to ping, and when to give up.

use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// What the clock asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum HeartbeatEvent {
    Ping,
    GiveUp,
    /// Whoever sits there may not any more.
    Expire,
}

/// The clock of one connection: a single timer, set again only when it has run out.
pub(super) struct Heartbeat {
    ping: Duration,
    idle: Duration,
    heard: Instant,
    next_ping: Instant,
    expiry: Option<Instant>,
    timer: Pin<Box<Sleep>>,
}

impl Heartbeat {
    pub(super) fn new(ping: Duration, idle: Duration) -> Heartbeat {
        let now = Instant::now();
        let (next_ping, end) = (after(now, ping), after(now, idle));
        Heartbeat { ping, idle, heard: now, next_ping, expiry: None, timer: Box::pin(sleep_until(next_ping.min(end))) }
    }

    /// The client has shown that it is there.
    pub(super) fn heard(&mut self) {
        self.heard = Instant::now();
    }

    /// When the credentials of whoever sits there run out, if they do.
    pub(super) fn expire_at(&mut self, expiry: Option<Instant>) {
        self.expiry = expiry;
        self.set(self.next_ping.min(after(self.heard, self.idle)));
    }

    fn set(&mut self, next: Instant) {
        let next = self.expiry.map_or(next, |expiry| next.min(expiry));
        self.timer.as_mut().reset(next);
    }

    /// Waits until there is something to do. Cancel-safe.
    pub(super) async fn beat(&mut self) -> HeartbeatEvent {
        loop {
            self.timer.as_mut().await;
            let now = Instant::now();
            if self.expiry.is_some_and(|expiry| now >= expiry) {
                return HeartbeatEvent::Expire;
            }
            let mut end = after(self.heard, self.idle);
            if now >= end {
                if self.next_ping >= end {
                    return HeartbeatEvent::GiveUp;
                }
                // Nobody was asked in time, as the connection was busy with sending: that comes first.
                self.heard = now;
                end = after(now, self.idle);
            }
            let pinging = now >= self.next_ping;
            if pinging {
                self.next_ping = after(now, self.ping);
            }
            self.set(self.next_ping.min(end));
            if pinging {
                return HeartbeatEvent::Ping;
            }
        }
    }
}

/// As good as never, where the clock cannot count so far.
fn after(instant: Instant, time: Duration) -> Instant {
    const LONG: Duration = Duration::from_hours(24 * 365);
    instant.checked_add(time).unwrap_or_else(|| instant + LONG)
}
