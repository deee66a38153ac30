//! What the tests of grants share, and the property tests.

pub(super) mod fake_source;
mod proptests;
