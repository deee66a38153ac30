//! When to ping, and when to give up.

use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// What the clock asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum HeartbeatEvent {
    Ping,
    Idle,
    /// Whoever sits there may not any more.
    Expiry,
}

/// The clock of one connection: a single timer, set again only when it has run out.
pub(super) struct Heartbeat {
    ping_interval: Duration,
    idle_timeout: Duration,
    last_activity: Instant,
    next_ping: Instant,
    expiry: Option<Instant>,
    timer: Pin<Box<Sleep>>,
}

impl Heartbeat {
    pub(super) fn new(ping_interval: Duration, idle_timeout: Duration) -> Heartbeat {
        let now = Instant::now();
        let (next_ping, idle_at) = (add_saturating(now, ping_interval), add_saturating(now, idle_timeout));
        Heartbeat {
            ping_interval,
            idle_timeout,
            last_activity: now,
            next_ping,
            expiry: None,
            timer: Box::pin(sleep_until(next_ping.min(idle_at))),
        }
    }

    /// The client has shown that it is there.
    pub(super) fn record_activity(&mut self) {
        self.last_activity = Instant::now();
    }

    /// When the credentials of whoever sits there run out, if they do.
    pub(super) fn set_expiry(&mut self, expiry: Option<Instant>) {
        self.expiry = expiry;
        self.reset_timer(self.next_ping.min(add_saturating(self.last_activity, self.idle_timeout)));
    }

    fn reset_timer(&mut self, next: Instant) {
        let next = self.expiry.map_or(next, |expiry| next.min(expiry));
        self.timer.as_mut().reset(next);
    }

    /// Waits until there is something to do. Cancel-safe.
    pub(super) async fn next_event(&mut self) -> HeartbeatEvent {
        loop {
            self.timer.as_mut().await;
            let now = Instant::now();
            if self.expiry.is_some_and(|expiry| now >= expiry) {
                return HeartbeatEvent::Expiry;
            }
            let mut idle_at = add_saturating(self.last_activity, self.idle_timeout);
            if now >= idle_at {
                if self.next_ping >= idle_at {
                    return HeartbeatEvent::Idle;
                }
                // Nobody was asked in time, as the connection was busy with sending: that comes first.
                self.last_activity = now;
                idle_at = add_saturating(now, self.idle_timeout);
            }
            let is_ping_due = now >= self.next_ping;
            if is_ping_due {
                self.next_ping = add_saturating(now, self.ping_interval);
            }
            self.reset_timer(self.next_ping.min(idle_at));
            if is_ping_due {
                return HeartbeatEvent::Ping;
            }
        }
    }
}

/// As good as never, where the clock cannot count so far.
fn add_saturating(instant: Instant, duration: Duration) -> Instant {
    const FAR_FUTURE: Duration = Duration::from_hours(24 * 365);
    instant.checked_add(duration).unwrap_or_else(|| instant + FAR_FUTURE)
}
