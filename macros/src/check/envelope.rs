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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::ENVELOPE;

    /// The crates cannot share the list: this one has no public items but macros.
    #[test]
    fn envelope_keys_are_those_that_the_runtime_reads() {
        let request = Path::new(env!("CARGO_MANIFEST_DIR")).join("../runtime/src/message/request.rs");
        let request = fs::read_to_string(request).unwrap();
        let keys = request.lines().filter_map(|line| line.trim().strip_prefix('"')?.split_once("\" => self.set_"));
        let keys: Vec<_> = keys.map(|(key, _)| key).collect();
        assert_eq!(keys, ENVELOPE);
    }
}
