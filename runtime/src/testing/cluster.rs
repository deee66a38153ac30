//! A service of several machines in one process, with a network that fails when the test says so: [`Cluster`].

use std::fmt;
use std::sync::Arc;

use crate::broker::{ClusterBroker, Network};

/// The network of a service of several machines, with which an application tests that its permissions hold on all of them.
///
/// Each machine is an endpoint with the broker that [`broker`](Cluster::broker) returns for it. Messages take up to 5 ms in
/// each direction, by a sequence of random numbers that the seed determines. With tokio's paused clock, no test waits for
/// real time.
///
/// # Examples
///
/// A right that is taken away while a machine is cut off is safe after the time that the call says.
///
/// ```standalone_crate
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicBool, Ordering};
///
/// use portcullis::testing::{Cluster, connect};
/// use portcullis::{GrantSet, GrantSource, Propagation, Result, User, UserGrants, consumer, websocket};
///
/// portcullis::permissions! {
///     office { enter = "Enters the office" }
/// }
///
/// #[derive(Clone)]
/// struct Clerk;
/// impl User for Clerk { fn id(&self) -> std::borrow::Cow<'_, str> { "7".into() } }
///
/// /// What all machines load rights from.
/// #[derive(Clone)]
/// struct Database(Arc<AtomicBool>);
///
/// impl GrantSource<Clerk> for Database {
///     async fn load(&self, _: &Clerk) -> Result<UserGrants> {
///         let may_enter = self.0.load(Ordering::SeqCst);
///         Ok(may_enter.then_some(office::enter).into_iter().collect::<GrantSet>().into())
///     }
/// }
///
/// struct Office;
///
/// #[consumer(user = Clerk)]
/// impl Office {
///     #[action(permission = "office.enter")]
///     async fn enter(&self) {}
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// # tokio::time::pause();
/// let database = Database(Arc::new(AtomicBool::new(true)));
/// let cluster = Cluster::new(2, 1);
/// let machines = [0, 1].map(|index| websocket(Office).grants(database.clone()).broker(cluster.broker(index)));
/// let mut clerk = connect(&machines[1]).user(Clerk).open().await.unwrap();
/// assert_eq!(clerk.call("enter").await.status(), 200);
///
/// cluster.partition(1);
/// database.0.store(false, Ordering::SeqCst);
/// let propagation = machines[0].connections().refresh_user("7").await;
/// let Propagation::Incomplete { safe_after: Some(safe_after), .. } = propagation else { panic!() };
/// tokio::time::sleep(safe_after).await;
/// assert_eq!(clerk.call("enter").await.status(), 403);
/// # }
/// ```
pub struct Cluster(Arc<Network>);

impl Cluster {
    /// Creates the network of this number of machines.
    pub fn new(count: usize, seed: u64) -> Cluster {
        Cluster(Arc::new(Network::new(count, seed)))
    }

    /// Returns the broker of a machine, by its index.
    ///
    /// # Panics
    ///
    /// Panics if there is no such machine.
    pub fn broker(&self, machine: usize) -> ClusterBroker {
        ClusterBroker::new(&self.0, machine)
    }

    /// Cuts a machine off. It notices after two seconds at most. What it receives meanwhile is lost; what it sends waits.
    ///
    /// # Panics
    ///
    /// Panics if there is no such machine, or outside of a tokio runtime.
    pub fn partition(&self, machine: usize) {
        self.0.partition(machine);
    }

    /// Reverts [`partition`](Cluster::partition). The machine is connected again after a second at most.
    ///
    /// # Panics
    ///
    /// Panics if there is no such machine, or outside of a tokio runtime.
    pub fn heal(&self, machine: usize) {
        self.0.heal(machine);
    }

    /// Cuts a machine off without its noticing, as if its process were gone: the others do not hear of it any more. Its
    /// endpoint and its clients stay until the test drops them.
    ///
    /// # Panics
    ///
    /// Panics if there is no such machine.
    pub fn crash(&self, machine: usize) {
        self.0.crash(machine);
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cluster").field(&self.0).finish()
    }
}
