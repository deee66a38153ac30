//! The heartbeat of a connection: pings, the idle timeout and the expiry of the connection. The intervals are set by
//! [`Limits`](super::Limits).

use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use crate::time::add_saturating;

/// What the connection has to do at this time.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum HeartbeatEvent {
    /// Send a ping.
    Ping,
    /// Close the connection: the idle timeout has expired.
    Idle,
    /// Close the connection: its time has expired.
    Expiry,
}

/// The heartbeat of one connection. It has a single timer, which activity does not reset.
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

    /// Records that the client is alive.
    pub(super) fn record_activity(&mut self) {
        self.last_activity = Instant::now();
    }

    /// Sets when the connection expires, or `None` if it does not.
    pub(super) fn set_expiry(&mut self, expiry: Option<Instant>) {
        self.expiry = expiry;
        self.reset_timer(self.next_ping.min(add_saturating(self.last_activity, self.idle_timeout)));
    }

    /// Resets the timer to `next`, or to the expiry if that is earlier.
    fn reset_timer(&mut self, next: Instant) {
        let next = self.expiry.map_or(next, |expiry| next.min(expiry));
        self.timer.as_mut().reset(next);
    }

    /// Waits for the next event.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, no event is lost.
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
                // No ping was sent within the idle timeout, because the connection was busy with sending. The client gets
                // one first, and another idle timeout to answer it.
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
