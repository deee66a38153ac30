//! A ticket, and the key under which a store knows it.

use std::fmt;
use std::time::Duration;

use super::digest::{hex, sha256_hex};
use crate::error::Result;
use crate::random::random_bytes;

/// A secret that opens one connection, issued by [`Endpoint::issue_ticket`](crate::Endpoint::issue_ticket): 256
/// random bits, as 64 hexadecimal digits.
///
/// It can be used once, within [`LIFETIME`](Ticket::LIFETIME). Its [`Debug`](fmt::Debug) form does not show it, and
/// it has no `Display` form, so that it is not logged by mistake.
pub struct Ticket(String);

impl Ticket {
    /// How long a ticket can be used after it was issued: 30 seconds.
    pub const LIFETIME: Duration = Duration::from_secs(30);

    /// The number of random bytes.
    const BYTES: usize = 32;

    /// Draws a ticket.
    ///
    /// # Errors
    ///
    /// A fault if the operating system has no random numbers.
    pub(super) fn random() -> Result<Ticket> {
        Ok(Ticket(hex(&random_bytes::<{ Ticket::BYTES }>()?)))
    }

    /// Returns the ticket that a client has presented, or `None` if the text cannot be one.
    pub(crate) fn parse(text: &str) -> Option<Ticket> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        (text.len() == 2 * Ticket::BYTES && text.bytes().all(is_digit)).then(|| Ticket(text.to_owned()))
    }

    /// Returns the digits, to be sent to the client.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the key under which the ticket is stored for an audience.
    pub(super) fn key(&self, audience: &str) -> TicketKey {
        // The length of a ticket is fixed, so that different tickets and audiences are different inputs.
        TicketKey(sha256_hex(&[self.0.as_bytes(), audience.as_bytes()]))
    }
}

impl From<Ticket> for String {
    fn from(ticket: Ticket) -> String {
        ticket.0
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ticket(..)")
    }
}

/// The key under which a [`TicketStore`](crate::TicketStore) keeps a ticket: the SHA-256 hash of the ticket and of
/// the name of the consumer that it is for.
///
/// It does not reveal the ticket, so it may be stored and logged.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TicketKey(String);

impl TicketKey {
    /// Returns the key as 64 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tickets_differ_and_are_parsed_again() {
        let (first, second) = (Ticket::random().unwrap(), Ticket::random().unwrap());
        assert_ne!(first.as_str(), second.as_str());
        assert_eq!(Ticket::parse(first.as_str()).unwrap().as_str(), first.as_str());
    }

    #[test]
    fn text_that_is_no_ticket_is_refused() {
        let digits = Ticket::random().unwrap().0;
        let (upper, long) = (digits.to_uppercase(), format!("{digits}0"));
        for text in ["", "0", &digits[1..], &long, &format!("g{}", &digits[1..]), &format!("{}\u{e9}", &digits[2..])] {
            assert!(Ticket::parse(text).is_none(), "{text}");
        }
        assert_eq!(Ticket::parse(&upper).is_none(), upper != digits);
    }

    #[test]
    fn debug_form_does_not_show_the_ticket() {
        assert_eq!(format!("{:?}", Ticket::random().unwrap()), "Ticket(..)");
    }

    #[test]
    fn key_depends_on_ticket_and_audience_and_reveals_neither() {
        let (first, second) = (Ticket::random().unwrap(), Ticket::random().unwrap());
        let key = first.key("Chat");
        assert_eq!(key, first.key("Chat"));
        assert!(key != first.key("Admin") && key != second.key("Chat"));
        assert!(key.as_str().len() == 64 && !key.as_str().contains(first.as_str()));
    }
}
