//! The log entry of a refusal: the user, the action, the route and the permission leaf that refused.

use super::refusal_log;
use crate::context::{Call, PeerAddress, User};
use crate::error::Error;
use crate::log::{Cause, Truncated, fault_id};
use crate::panic::{Panic, catch_unwind, is_log_enabled, log_entry};

/// Converts a panic into a fault. The message of the panic is logged and not sent.
pub(crate) fn panic_error(panic: &Panic) -> Error {
    Error::internal(format!("panicked: {}", panic.message()))
}

/// Logs a refusal, unless it is logged already or its client has caused too many entries. Returns the id of the log entry
/// if the error is a fault.
pub(crate) fn report<U: User>(call: &Call<'_, U>, error: &Error) -> Option<String> {
    // The application's code: a panic in it must not suppress the reply.
    let user = catch_unwind(|| call.scope().user_id()).unwrap_or("?".into());
    let (action, route) = (Truncated::new(&call.head().action), Truncated::new(&call.head().route));
    let leaf = error.leaf().or_else(|| call.unanswered());
    let status = error.status().as_u16();
    if error.is_fault() {
        if let Some(id) = error.log_id() {
            return Some(id.to_owned());
        }
        let (id, cause) = (fault_id(), Cause::new(error));
        log_entry!(ERROR, %id, user = ?Truncated::new(&user), ?action, ?route, leaf, status, ?cause, "failed");
        return Some(id);
    }
    let is_enabled = if leaf.is_some() { is_log_enabled!(INFO) } else { is_log_enabled!(DEBUG) };
    let address = call.scope().extension::<PeerAddress>().map(|PeerAddress(address)| *address);
    if !is_enabled || !refusal_log::admit_message(leaf.is_none(), address, call.scope().connection_id()) {
        return None;
    }
    if let Some(leaf) = leaf {
        log_entry!(INFO, user = ?Truncated::new(&user), ?action, ?route, leaf, status, "refused");
    } else {
        let code = Truncated::new(error.code());
        log_entry!(DEBUG, user = ?Truncated::new(&user), ?action, ?route, status, ?code, "action rejected");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Scope;
    use crate::message::Envelope;

    #[test]
    fn report_of_a_fault_returns_a_unique_id() {
        let (parts, ()) = http::Request::new(()).into_parts();
        let (scope, head) = (Scope::<()>::new(None, parts), Envelope::default());
        let call = Call::new(&scope, &head, &[], &[], &[]);
        let id = || report(&call, &Error::internal("broken")).unwrap();
        assert!(id().len() == 16 && id().bytes().all(|byte| byte.is_ascii_hexdigit()), "{}", id());
        assert_ne!(id(), id());
        assert_eq!(report(&call, &Error::denied()), None);
        assert_eq!(report(&call, &Error::denied().with_leaf("Banned")), None);
    }

    #[test]
    fn panic_error_is_a_fault_with_the_panic_message() {
        let error = panic_error(&catch_unwind(|| panic!("plain")).unwrap_err());
        assert!(error.is_fault() && error.to_string().contains("panicked: plain"), "{error}");
    }
}
