//! Panic messages for constant functions, which cannot format: the text is assembled in a fixed buffer.

/// Maximum length of a message in bytes.
pub(super) const MAX_LENGTH: usize = 512;

/// Compares two strings: `==` is not available in constant functions.
pub(super) const fn str_eq(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len() != other.len() {
        return false;
    }
    let mut index = 0;
    while index < one.len() {
        if one[index] != other[index] {
            return false;
        }
        index += 1;
    }
    true
}

/// A message of limited length.
#[derive(Clone, Copy)]
pub(super) struct PanicMessage {
    bytes: [u8; MAX_LENGTH],
    length: usize,
}

impl PanicMessage {
    pub(super) const fn new() -> PanicMessage {
        PanicMessage { bytes: [0; MAX_LENGTH], length: 0 }
    }

    /// Appends a text, or drops it if it exceeds the limit.
    pub(super) const fn append(mut self, more: &str) -> PanicMessage {
        let more = more.as_bytes();
        if self.length + more.len() > MAX_LENGTH {
            return self;
        }
        let mut index = 0;
        while index < more.len() {
            self.bytes[self.length] = more[index];
            self.length += 1;
            index += 1;
        }
        self
    }

    /// Panics with the message.
    #[track_caller]
    pub(super) const fn panic(&self) -> ! {
        match std::str::from_utf8(self.bytes.split_at(self.length).0) {
            Ok(text) => panic!("{}", text),
            Err(_) => panic!("bug: a compile-time check built a message that is not UTF-8"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn append_beyond_limit_drops_text() {
        let long = "x".repeat(MAX_LENGTH - 1);
        let text = PanicMessage::new().append("y").append(&long);
        assert_eq!((text.length, text.append("z").length), (MAX_LENGTH, MAX_LENGTH));
        assert_eq!(PanicMessage::new().append(&long).append("zz").length, MAX_LENGTH - 1);
    }
}
