//! The ticket store that several processes share, in Redis.

use std::fmt;
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, Cmd, FromRedisValue, Pipeline, RedisError, cmd, pipe};

use super::digest::sha256_hex;
use super::login_id::LoginId;
use super::store::{TicketClaims, TicketStore};
use super::ticket::{Ticket, TicketKey};
use crate::error::Result;
use crate::result_ext::ResultExt;

/// The time limit of one command, and of one attempt to connect.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(3);

/// Keeps tickets in Redis, for an application of several processes. Requires the feature `redis`.
///
/// It connects when it is first used, and again after the connection was lost. All processes use the same server,
/// version 6.2 or newer, or a server that speaks its protocol. The server must not evict keys (`maxmemory-policy
/// noeviction`), because a voided login session is a key. After a failover that loses writes, a ticket may be redeemed
/// again, or a voided login session be forgotten. For `rediss://` URLs, depend on the crate `redis` with a
/// feature for TLS.
///
/// Below `PREFIX:`, the keys are `ticket:HASH` with the claims as JSON, `user:HASH` with the list of a user's
/// tickets, and `void:HASH`. All of them expire.
///
/// ```no_run
/// # async fn f() -> portcullis::Result<()> {
/// let store = portcullis::RedisTicketStore::new("redis://127.0.0.1", "chat")?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RedisTicketStore {
    connection: ConnectionManager,
    prefix: String,
}

impl RedisTicketStore {
    /// Creates a store at the URL of a Redis server. The prefix separates the applications that share the server: a
    /// ticket of one prefix is invalid under another.
    ///
    /// # Errors
    ///
    /// A fault (500) if the URL is invalid. Whether the server can be reached is not known yet.
    ///
    /// # Panics
    ///
    /// Panics outside of a tokio runtime. The runtime keeps the connection, so it must run as long as the store is
    /// used.
    pub fn new(url: &str, prefix: &str) -> Result<RedisTicketStore> {
        let client = Client::open(url).fault()?;
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(1)
            .set_connection_timeout(Some(COMMAND_TIMEOUT))
            .set_response_timeout(Some(COMMAND_TIMEOUT));
        let connection = ConnectionManager::new_lazy_with_config(client, config).fault()?;
        Ok(RedisTicketStore { connection, prefix: prefix.to_owned() })
    }

    fn key(&self, kind: &str, hash: &str) -> String {
        format!("{}:{kind}:{hash}", self.prefix)
    }

    fn user_key(&self, user_id: &str) -> String {
        self.key("user", &sha256_hex(&[user_id.as_bytes()]))
    }

    async fn run<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, RedisError> {
        command.query_async(&mut self.connection.clone()).await
    }

    async fn run_all<T: FromRedisValue>(&self, commands: &Pipeline) -> Result<T, RedisError> {
        commands.query_async(&mut self.connection.clone()).await
    }
}

impl TicketStore for RedisTicketStore {
    async fn insert(&self, key: TicketKey, claims: TicketClaims, max_per_user: usize) -> Result<()> {
        let (user_key, lifetime) = (self.user_key(&claims.user_id), Ticket::LIFETIME.as_secs());
        let max_per_user = i64::try_from(max_per_user).unwrap_or(i64::MAX).max(1);
        // The newest ticket comes first. A ticket that is not in the list is refused, so the list has the last word
        // on the cap.
        let mut list = pipe();
        list.atomic();
        list.cmd("LPUSH").arg(&user_key).arg(key.as_str()).ignore();
        list.cmd("LRANGE").arg(&user_key).arg(max_per_user).arg(-1);
        list.cmd("LTRIM").arg(&user_key).arg(0).arg(max_per_user - 1).ignore();
        list.cmd("EXPIRE").arg(&user_key).arg(lifetime).ignore();
        let (removed,): (Vec<String>,) = self.run_all(&list).await.fault()?;
        let claims = serde_json::to_string(&claims).fault()?;
        let mut store = pipe();
        store.cmd("SET").arg(self.key("ticket", key.as_str())).arg(claims).arg("EX").arg(lifetime).ignore();
        for removed in removed {
            store.cmd("DEL").arg(self.key("ticket", &removed)).ignore();
        }
        self.run_all(&store).await.fault()
    }

    async fn take(&self, key: TicketKey) -> Result<Option<TicketClaims>> {
        let claims: Option<String> = self.run(cmd("GETDEL").arg(self.key("ticket", key.as_str()))).await.fault()?;
        let Some(claims) = claims else { return Ok(None) };
        let claims: TicketClaims = serde_json::from_str(&claims).fault()?;
        let mut checks = pipe();
        checks.cmd("LREM").arg(self.user_key(&claims.user_id)).arg(1).arg(key.as_str());
        checks.cmd("EXISTS").arg(self.key("void", claims.login.as_str()));
        let (listed, void): (u32, u32) = self.run_all(&checks).await.fault()?;
        Ok((listed == 1 && void == 0).then_some(claims))
    }

    async fn void_login(&self, login: LoginId) -> Result<()> {
        let lifetime = LoginId::VOID_LIFETIME.as_secs();
        self.run(cmd("SET").arg(self.key("void", login.as_str())).arg(1).arg("EX").arg(lifetime)).await.fault()
    }
}

impl fmt::Debug for RedisTicketStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL may contain a password.
        f.debug_struct("RedisTicketStore").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}
