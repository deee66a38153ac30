//! The outcome of a reported change of rights: [`Propagation`].

use std::time::Duration;

use tokio::time::Instant;

use crate::broker::{MachineId, Spread};

/// How far a change of rights has spread when a `refresh_*` or `disconnect_*` call of [`Connections`](crate::Connections)
/// completes.
///
/// Check it with [`is_acknowledged`](Propagation::is_acknowledged): until a change is acknowledged, a connection may still
/// act on the rights from before. An endpoint without a [broker](crate::Endpoint::broker) always acknowledges.
///
/// ```standalone_crate
/// # use portcullis::{Consumer, Connections, Error, Propagation, Result};
/// async fn demote<C: Consumer>(connections: &Connections<C>, user_id: &str) -> Result<()> {
///     // The change has been stored; then:
///     match connections.refresh_user(user_id).await {
///         Propagation::Acknowledged { .. } => Ok(()),
///         // A machine is cut off, or this one does not know all others yet. Rights from before end by themselves.
///         Propagation::Incomplete { safe_after: Some(wait), .. } => {
///             tokio::time::sleep(wait).await;
///             Ok(())
///         }
///         other => Err(Error::internal(format!("change of rights: {other:?}"))),
///     }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "unless the change is acknowledged, a connection may still act on the rights from before"]
pub enum Propagation {
    /// On every machine that is connected to the broker, every connection concerned has the new epoch of rights, and no
    /// action that was authorized before is about to start: no event is delivered and no action starts on the rights from
    /// before the change. A machine that was cut off from the broker for more than eleven seconds is not waited for: its
    /// rights are at most six seconds old, but it never learns of a `disconnect_*` call.
    #[non_exhaustive]
    Acknowledged {
        /// The other machines that have acknowledged the change, in no particular order.
        by: Vec<MachineId>,
    },
    /// The change holds on this machine and on some others.
    #[non_exhaustive]
    Incomplete {
        /// The other machines that have acknowledged the change.
        by: Vec<MachineId>,
        /// The machines that have not, in no particular order. Empty if this machine has been connected to the broker for
        /// less than eleven seconds, or has missed a control message, and does not know all others.
        missing: Vec<MachineId>,
        /// How long it takes from now until the change holds on all machines. `None` for a `disconnect_*` call: a machine
        /// that is cut off evaluates rights again, but does not learn which connections to close.
        safe_after: Option<Duration>,
    },
    /// The change holds on this machine. The broker has not confirmed that it was passed on; it may still be. Report it
    /// again.
    #[non_exhaustive]
    LocalOnly {},
}

impl Propagation {
    /// The change holds on the only machine.
    pub(super) fn on_one_machine() -> Propagation {
        Propagation::Acknowledged { by: Vec::new() }
    }

    /// Returns whether the change was acknowledged, see [`Acknowledged`](Propagation::Acknowledged).
    pub fn is_acknowledged(&self) -> bool {
        matches!(self, Propagation::Acknowledged { .. })
    }
}

impl From<Spread> for Propagation {
    fn from(spread: Spread) -> Propagation {
        match spread {
            Spread::Acknowledged { by } => Propagation::Acknowledged { by: by.into_iter().collect() },
            Spread::Incomplete { by, missing, safe_after } => Propagation::Incomplete {
                by: by.into_iter().collect(),
                missing: missing.into_iter().collect(),
                safe_after: safe_after.map(|time| time.saturating_duration_since(Instant::now())),
            },
            Spread::LocalOnly => Propagation::LocalOnly {},
        }
    }
}
