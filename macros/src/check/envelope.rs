//! The keys of the message envelope, which cannot name an argument.

use quote::ToTokens;

use crate::diagnostics::Diagnostics;

const ENVELOPE: [&str; 3] = ["action", "route", "request_id"];

/// Checks that an argument does not have the name of a key of the envelope.
pub(super) fn check_envelope_key(name: &str, at: impl ToTokens, diagnostics: &mut Diagnostics) {
    if ENVELOPE.contains(&name) {
        let message = format!("`{name}` is a key of the envelope, so it cannot name an argument; rename the argument");
        diagnostics.error(at, message);
    }
}
