//! Shared fixtures of the grant tests, and the property tests.

pub(super) mod fake_source;
mod proptests;
