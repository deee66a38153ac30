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
///         // A machine is cut off. It evaluates its rights again by itself.
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
    /// Every connection concerned, on every machine, has the new epoch of rights, and no action that was authorized before is
    /// about to start: no event is delivered and no action starts on the rights from before the change.
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
        /// The machines that have not, in no particular order. Empty if this machine has just connected to the broker, and
        /// does not know yet which machines there are.
        missing: Vec<MachineId>,
        /// How long it takes from now until the change holds on all machines. `None` for a `disconnect_*` call: a machine that
        /// is cut off evaluates rights again, but does not learn which connections to close.
        safe_after: Option<Duration>,
    },
    /// The change holds on this machine, and was not passed on, because the broker cannot be reached. Report it again later.
    #[non_exhaustive]
    LocalOnly {},
}

impl Propagation {
    /// The change holds on the only machine.
    pub(super) fn on_one_machine() -> Propagation {
        Propagation::Acknowledged { by: Vec::new() }
    }

    /// Returns whether the change holds for every connection.
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
