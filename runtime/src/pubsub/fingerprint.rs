//! Fingerprints of types: hashes that are equal on all machines and for all builds of the same definition.

/// Returns the FNV-1a hash of the definition of a type.
pub const fn fingerprint(definition: &str) -> u64 {
    extend_fingerprint(0xcbf2_9ce4_8422_2325, definition)
}

/// Returns the hash of the text that `fingerprint` is the hash of, followed by `more`.
pub(super) const fn extend_fingerprint(fingerprint: u64, more: &str) -> u64 {
    let (bytes, mut hash, mut index) = (more.as_bytes(), fingerprint, 0);
    while index < bytes.len() {
        hash = (hash ^ bytes[index] as u64).wrapping_mul(0x0000_0100_0000_01b3);
        index += 1;
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::{extend_fingerprint, fingerprint};

    #[test]
    fn fingerprint_is_the_fnv_1a_hash() {
        assert_eq!(fingerprint(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fingerprint("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fingerprint("foobar"), 0x8594_4171_f739_67e8);
        assert_eq!(extend_fingerprint(fingerprint("foo"), "bar"), fingerprint("foobar"));
    }
}
