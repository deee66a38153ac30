//! The outcome of a reported change of rights: [`Propagation`].

use std::time::Duration;

use super::machine_id::MachineId;

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
    /// rights are at most six seconds old, but it never learns of a `disconnect_*` call, unless it
    /// [closes](crate::Endpoint::close_when_cut_off) all connections.
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
        /// How long it takes from now until the change holds on all machines. `None` for a `disconnect_*` call, unless
        /// machines [close](crate::Endpoint::close_when_cut_off) all connections when they are cut off: otherwise such a machine
        /// evaluates rights again, but does not learn which connections to close.
        safe_after: Option<Duration>,
    },
    /// The change holds on this machine. The broker has not confirmed that it was passed on; it may still be. Report it
    /// again.
    #[non_exhaustive]
    LocalOnly {},
}

impl Propagation {
    /// The change holds on the only machine.
    pub(crate) fn on_one_machine() -> Propagation {
        Propagation::Acknowledged { by: Vec::new() }
    }

    /// Returns how far a change of several endpoints has come on all of their machines.
    pub(crate) fn of_all(propagations: Vec<Propagation>) -> Propagation {
        let (mut all_by, mut all_missing, mut latest) = (Vec::new(), Vec::new(), Some(Duration::ZERO));
        let mut is_complete = true;
        for propagation in propagations {
            match propagation {
                Propagation::Acknowledged { by } => all_by.extend(by),
                Propagation::Incomplete { by, missing, safe_after } => {
                    all_by.extend(by);
                    all_missing.extend(missing);
                    is_complete = false;
                    latest = latest.zip(safe_after).map(|(latest, safe_after)| latest.max(safe_after));
                }
                Propagation::LocalOnly {} => return Propagation::LocalOnly {},
            }
        }
        if is_complete {
            return Propagation::Acknowledged { by: all_by };
        }
        Propagation::Incomplete { by: all_by, missing: all_missing, safe_after: latest }
    }

    /// Returns whether the change was acknowledged, see [`Acknowledged`](Propagation::Acknowledged).
    pub fn is_acknowledged(&self) -> bool {
        matches!(self, Propagation::Acknowledged { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn propagation_of_several_endpoints_is_that_of_the_last_one() {
        let machine = |number| MachineId::from_bytes([number; 16]);
        let acknowledged = |number| Propagation::Acknowledged { by: vec![machine(number)] };
        let incomplete = |number, seconds: Option<u64>| {
            let (by, missing) = (vec![machine(number)], vec![machine(number + 1)]);
            Propagation::Incomplete { by, missing, safe_after: seconds.map(Duration::from_secs) }
        };
        let both = Propagation::Acknowledged { by: vec![machine(1), machine(2)] };
        assert_eq!(Propagation::of_all(vec![acknowledged(1), acknowledged(2)]), both);
        let of_all = |all| match Propagation::of_all(all) {
            Propagation::Incomplete { by, missing, safe_after } => (by.len(), missing.len(), safe_after),
            other => panic!("{other:?}"),
        };
        let last = Some(Duration::from_secs(5));
        assert_eq!(of_all(vec![incomplete(1, Some(5)), acknowledged(3), incomplete(4, Some(2))]), (3, 2, last));
        assert_eq!(of_all(vec![incomplete(1, None), incomplete(3, Some(2))]), (2, 2, None));
        let local = vec![acknowledged(1), Propagation::LocalOnly {}, incomplete(2, None)];
        assert_eq!(Propagation::of_all(local), Propagation::LocalOnly {});
    }
}
