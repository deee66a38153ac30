//! Texts in constant functions: they can only panic with one, so it is put together in a fixed buffer.

pub(super) const BUFFER: usize = 512;

/// Are both the same text?
pub(super) const fn same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len() != other.len() {
        return false;
    }
    let mut at = 0;
    while at < one.len() {
        if one[at] != other[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// A text of limited length; what does not fit is cut off.
#[derive(Clone, Copy)]
pub(super) struct PanicMessage {
    bytes: [u8; BUFFER],
    length: usize,
}

impl PanicMessage {
    pub(super) const fn new() -> PanicMessage {
        PanicMessage { bytes: [0; BUFFER], length: 0 }
    }

    pub(super) const fn and(mut self, more: &str) -> PanicMessage {
        let more = more.as_bytes();
        if self.length + more.len() > BUFFER {
            return self;
        }
        let mut at = 0;
        while at < more.len() {
            self.bytes[self.length] = more[at];
            self.length += 1;
            at += 1;
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
    fn a_long_text_is_cut() {
        let long = "x".repeat(BUFFER - 1);
        let text = PanicMessage::new().and("y").and(&long);
        assert_eq!((text.length, text.and("z").length), (BUFFER, BUFFER));
        assert_eq!(PanicMessage::new().and(&long).and("zz").length, BUFFER - 1);
    }
}
