//! What an attempt to connect, or a request, may take, and how it fails.

use std::error::Error;
use std::time::Duration;

/// The time limit of an attempt to connect, and of a reply of the server.
pub(in crate::broker) const REPLY_TIMEOUT: Duration = Duration::from_secs(2);

/// Why a connection, or a request on it, has failed.
pub(in crate::broker) type ConnectionError = Box<dyn Error + Send + Sync>;
