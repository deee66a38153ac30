//! Tickets: secrets that open one connection each, for clients whose handshake cannot carry other credentials.

mod age_map;
mod digest;
mod login_id;
mod memory_store;
#[cfg(feature = "redis")]
mod redis_store;
mod store;
mod ticket;
#[expect(clippy::module_inception, reason = "a file is named for its main type")]
mod tickets;

pub use login_id::LoginId;
pub use memory_store::MemoryTicketStore;
#[cfg(feature = "redis")]
pub use redis_store::RedisTicketStore;
pub use store::{TicketClaims, TicketStore};
pub use ticket::{Ticket, TicketKey};
pub use tickets::Tickets;
