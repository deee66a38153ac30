//! Texts in constant functions: they can only panic with one, so it is put together in a fixed buffer.

pub(super) const MAX_LENGTH: usize = 512;

/// Are both the same text?
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

/// A text of limited length; what does not fit is cut off.
#[derive(Clone, Copy)]
pub(super) struct PanicMessage {
    bytes: [u8; MAX_LENGTH],
    length: usize,
}

impl PanicMessage {
    pub(super) const fn new() -> PanicMessage {
        PanicMessage { bytes: [0; MAX_LENGTH], length: 0 }
    }

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

    #[track_caller]
    pub(super) const fn panic(&self) -> ! {
        match std::str::from_utf8(self.bytes.split_at(self.length).0) {
            Ok(text) => panic!("{}", text),
            Err(_) => panic!("a handler does not fit where it stands"),
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
