//! Checks of an endpoint when it is mounted.

use super::endpoint::Endpoint;
use crate::consumer::Consumer;
#[cfg(feature = "axum")]
use crate::panic::log_entry;

impl<C: Consumer> Endpoint<C> {
    /// Returns whether the consumer uses codenames and the endpoint has no source of grants.
    pub(super) fn is_missing_grants(&self) -> bool {
        let needs_grants = || {
            C::DESCRIPTOR.uses_codenames()
                || C::EVENTS.iter().any(|event| event.permission.has_codenames)
                || C::CONNECT_PERMISSION.is_some_and(|expression| expression.has_codenames)
        };
        self.grants.is_none() && needs_grants()
    }

    /// Logs a warning if anonymous clients can keep their connections without ever authenticating.
    #[cfg(feature = "axum")]
    pub(super) fn warn_of_anonymous_connections(&self) {
        if C::AUTHENTICATES && self.authenticate_within.is_none() && C::CONNECT_PERMISSION.is_none() {
            log_entry!(
                WARN,
                consumer = C::NAME,
                "anonymous connections may stay open without authenticating; set `Endpoint::authenticate_within` or a `connect` expression"
            );
        }
    }

    /// Returns the endpoint unchanged.
    ///
    /// # Panics
    ///
    /// Panics if the endpoint lacks a source of grants, or if its built-in `cancel` hides an action.
    pub(crate) fn assert_complete(self) -> Self {
        assert!(
            !self.is_missing_grants(),
            "`{}` uses codenames, but its endpoint has no source of grants; add `.grants(..)`",
            C::NAME
        );
        assert!(
            !self.hides_an_action(),
            "`{}` has an action `cancel`, which the built-in `cancel` would hide; rename the action, or remove `.allow_cancel()`",
            C::NAME
        );
        self
    }
}
