//! The outcome of a reported change of rights: [`Propagation`].

/// How far a change of rights has spread when a `refresh_*` or `disconnect_*` call of [`Connections`](crate::Connections)
/// completes.
///
/// Check it with [`is_acknowledged`](Propagation::is_acknowledged): until a change is acknowledged, a connection may still
/// act on the rights from before. An endpoint that runs on one machine always acknowledges.
///
/// ```standalone_crate
/// # use portcullis::{Consumer, Connections, Error, Result};
/// async fn demote<C: Consumer>(connections: &Connections<C>, user_id: &str) -> Result<()> {
///     // The change has been stored; then:
///     let propagation = connections.refresh_user(user_id).await;
///     if !propagation.is_acknowledged() {
///         return Err(Error::internal(format!("change of rights: {propagation:?}")));
///     }
///     Ok(())
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "unless the change is acknowledged, a connection may still act on the rights from before"]
pub enum Propagation {
    /// Every connection concerned has the new epoch of rights, and no action that was authorized before is about to start:
    /// no event is delivered and no action starts on the rights from before the change.
    #[non_exhaustive]
    Acknowledged {},
}

impl Propagation {
    /// Returns whether the change holds for every connection.
    pub fn is_acknowledged(&self) -> bool {
        matches!(self, Propagation::Acknowledged {})
    }
}
