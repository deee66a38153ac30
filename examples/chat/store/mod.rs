//! The database: embedded, in memory unless a path is given, with data in it from the first start.

mod grants;
mod members;
mod messages;
mod people;
mod rooms;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

pub(crate) use messages::Draft;
use portcullis::{Error, Result};
use rusqlite::{Connection, OptionalExtension as _, Params, Row};

/// A handle on the one connection to the database.
///
/// Its methods are synchronous and quick, and each takes the lock once, for all that must not come apart. So no lock is
/// ever held across an await, and what an event's permission asks is answered on the spot.
#[derive(Clone)]
pub(crate) struct Store(Arc<Mutex<Connection>>);

impl Store {
    /// Opens the database, and fills it where it is new.
    pub(crate) fn open(path: Option<&Path>) -> Result<Store> {
        let connection = match path {
            Some(path) => Connection::open(path),
            None => Connection::open_in_memory(),
        };
        let store = Store(Arc::new(Mutex::new(connection.map_err(Error::internal)?)));
        store.with(|connection| connection.execute_batch(include_str!("schema.sql")))?;
        if store.one("SELECT count(*) FROM users", [], |row| row.get(0))? == Some(0) {
            store.with(|connection| connection.execute_batch(include_str!("seed.sql")))?;
        }
        Ok(store)
    }

    /// Runs a statement; the number of rows that it changed.
    fn execute(&self, sql: &str, params: impl Params) -> Result<usize> {
        self.with(|connection| connection.prepare_cached(sql)?.execute(params))
    }

    /// Runs a statement that makes a row; the row's id.
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

    /// A failing database is a fault: the client learns nothing of it, the log does.
    fn with<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        let connection = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        work(&connection).map_err(Error::internal)
    }

    /// Several statements that happen together or not at all. An error of the work's own undoes them.
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
