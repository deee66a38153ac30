//! The rate limit of the built-in action `authenticate`.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use crate::error::{Error, Result};

/// The rate limit of authentication attempts on one connection. `None` rejects every attempt.
pub(crate) struct AuthenticateLimiter(Option<DefaultDirectRateLimiter>);

impl AuthenticateLimiter {
    pub(super) fn new(max_per_minute: u32) -> AuthenticateLimiter {
        AuthenticateLimiter(NonZeroU32::new(max_per_minute).map(|max| RateLimiter::direct(Quota::per_minute(max))))
    }

    /// Counts an attempt.
    ///
    /// # Errors
    ///
    /// 429 if the limit is reached.
    pub(super) fn try_acquire(&self) -> Result<()> {
        let Some(limiter) = &self.0 else { return Err(Error::too_many_requests(Duration::from_mins(1))) };
        limiter.check().map_err(|not_until| {
            let retry_after = not_until.wait_time_from(DefaultClock::default().now());
            Error::too_many_requests(retry_after)
        })
    }
}
