//! Chapters for users of this crate.
//!
//! - [`permissions`]: where expressions are written, how they are evaluated, and what a refused client receives.
//! - [`events`]: groups, events, their subscribers and order, and what a change of rights does.
//! - [`authentication`]: the user of a connection, its login session, expiry, renewal and logout.
//! - [`wire_protocol`]: frames, error codes and close codes, for authors of clients.
//! - [`security`]: threats and what is done about them, and what is left to the application.
//! - [`limits`]: what one connection can cost, and the limits that bound it.
//! - [`operations`]: deploying a new version while clients are connected, proxies, health and sizing.
//! - [`scaling_out`]: several machines behind one load balancer, and what holds for events and rights between them.
//! - [`observability`]: spans, metrics, observers and snapshots, and what to alert on.
#![cfg_attr(
    feature = "testing",
    doc = "- [`testing`]: testing permissions, events, revocation and streams with the in-process client."
)]
//! - [`from_django`]: the Python forms with their counterparts in this crate, and the intended differences.
//! - [`glossary`]: the terms that the documentation uses.

pub mod permissions {
    #![doc = include_str!("docs/permissions.md")]

    #[allow(unused_imports, clippy::wildcard_imports, reason = "resolves the links of the chapter")]
    use crate::*;
}

pub mod events {
    #![doc = include_str!("docs/events.md")]

    #[allow(unused_imports, clippy::wildcard_imports, reason = "resolves the links of the chapter")]
    use crate::*;
}

pub mod authentication {
    #![doc = include_str!("docs/authentication.md")]

    #[allow(unused_imports, clippy::wildcard_imports, reason = "resolves the links of the chapter")]
    use crate::*;
}

pub mod wire_protocol {
    #![doc = include_str!("docs/wire_protocol.md")]

    #[allow(unused_imports, clippy::wildcard_imports, reason = "resolves the links of the chapter")]
    use crate::*;
}

pub mod security {
    #![doc = include_str!("docs/security.md")]

    #[allow(unused_imports, clippy::wildcard_imports, reason = "resolves the links of the chapter")]
    use crate::*;
}

pub mod limits {
    #![doc = include_str!("docs/limits.md")]

    #[allow(unused_imports, clippy::wildcard_imports, reason = "resolves the links of the chapter")]
    use crate::*;
}

pub mod operations {
    #![doc = include_str!("docs/operations.md")]

    #[allow(unused_imports, clippy::wildcard_imports, reason = "resolves the links of the chapter")]
    use crate::*;
}

pub mod scaling_out {
    #![doc = include_str!("docs/scaling_out.md")]

    #[allow(unused_imports, clippy::wildcard_imports, reason = "resolves the links of the chapter")]
    use crate::*;
}

pub mod observability {
    #![doc = include_str!("docs/observability.md")]

    #[allow(unused_imports, clippy::wildcard_imports, reason = "resolves the links of the chapter")]
    use crate::*;
}

#[cfg(feature = "testing")]
pub mod testing {
    #![doc = include_str!("docs/testing.md")]

    #[allow(unused_imports, clippy::wildcard_imports, reason = "resolves the links of the chapter")]
    use crate::testing::*;
}

pub mod from_django {
    #![doc = include_str!("docs/from_django.md")]

    #[allow(unused_imports, clippy::wildcard_imports, reason = "resolves the links of the chapter")]
    use crate::*;
}

pub mod glossary {
    #![doc = include_str!("docs/glossary.md")]

    #[allow(unused_imports, clippy::wildcard_imports, reason = "resolves the links of the chapter")]
    use crate::*;
}
