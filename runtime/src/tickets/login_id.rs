//! The identity of a login session: [`LoginId`].

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::digest::sha256_hex;

/// Identifies a login session of the application, so that its tickets can be
/// [voided](crate::Tickets::void_login) when the user logs out.
///
/// It is the SHA-256 hash of a text that the application chooses: the key of the login session, the `jti` of a token,
/// or the number of a row. The text may be secret, because only the hash is kept and sent to the
/// [`TicketStore`](crate::TicketStore). A text that a person could guess is recognizable by its hash.
///
/// ```
/// use portcullis::LoginId;
///
/// let login = LoginId::new("the value of a session cookie");
/// assert_eq!(login, LoginId::new("the value of a session cookie"));
/// assert_eq!(login.to_string().len(), 64);
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LoginId(String);

impl LoginId {
    /// How long a [`TicketStore`](crate::TicketStore) remembers that a login session was voided: 10 minutes. A
    /// request that was in progress when the user logged out may issue a ticket after that; it is void too.
    pub const VOID_LIFETIME: Duration = Duration::from_mins(10);

    /// Creates the id of the login session that the application knows by this text. Texts of different login sessions
    /// must differ, also after a login session has ended.
    pub fn new(text: impl AsRef<str>) -> LoginId {
        LoginId(sha256_hex(&[text.as_ref().as_bytes()]))
    }

    /// Returns the hash as 64 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LoginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for LoginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
