//! The database: embedded, in memory unless a path is given, and filled at the first start.

mod grants;
mod members;
mod messages;
mod people;
mod rooms;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

pub(crate) use messages::Draft;
use portcullis::{Error, Result};
use rusqlite::{Connection, OptionalExtension as _, Params, Row, Transaction, TransactionBehavior};

/// A handle on the one connection to the database.
///
/// Its methods are synchronous and quick, and each takes the lock once, for everything that must happen together. So no
/// lock is held across an await, and an event's permission can use them without waiting.
#[derive(Clone)]
pub(crate) struct Store(Arc<Mutex<Connection>>);

impl Store {
    /// Opens the database, and fills it if it is new.
    pub(crate) fn open(path: Option<&Path>) -> Result<Store> {
        let connection = match path {
            Some(path) => Connection::open(path),
            None => Connection::open_in_memory(),
        };
        let store = Store(Arc::new(Mutex::new(connection.map_err(Error::internal)?)));
        store.with(|connection| {
            // Before the transaction, in which it would have no effect.
            connection.pragma_update(None, "foreign_keys", true)?;
            // Another process may open a new file at the same time.
            let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
            transaction.execute_batch(include_str!("schema.sql"))?;
            if transaction.query_row("SELECT count(*) FROM users", [], |row| row.get::<_, u32>(0))? == 0 {
                transaction.execute_batch(include_str!("seed.sql"))?;
            }
            transaction.commit()
        })?;
        Ok(store)
    }

    /// Runs a statement and returns the number of rows that it changed.
    fn execute(&self, sql: &str, params: impl Params) -> Result<usize> {
        self.with(|connection| connection.prepare_cached(sql)?.execute(params))
    }

    /// Runs a statement that inserts a row, and returns the row's id.
    fn insert(&self, sql: &str, params: impl Params) -> Result<i64> {
        self.with(|connection| connection.prepare_cached(sql)?.insert(params))
    }

    /// The first row, if there is one.
    fn one<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>> {
        self.with(|connection| connection.prepare_cached(sql)?.query_row(params, read).optional())
    }

    /// Every row.
    fn all<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        self.with(|connection| connection.prepare_cached(sql)?.query_map(params, read)?.collect())
    }

    /// An error of the database is a fault: the log has its cause, the client does not.
    fn with<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        let connection = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        work(&connection).map_err(Error::internal)
    }

    /// Runs several statements in a transaction. An error of the work rolls it back.
    fn together<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<Result<T>>) -> Result<T> {
        self.with(|connection| {
            let transaction = connection.unchecked_transaction()?;
            let outcome = work(&transaction)?;
            if outcome.is_ok() {
                transaction.commit()?;
            } else {
                transaction.rollback()?;
            }
            Ok(outcome)
        })?
    }
}
