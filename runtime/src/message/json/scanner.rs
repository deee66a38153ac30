//! Finds the top-level keys of a message and the text of their values in one pass that also validates the JSON.
//!
//! Values stay text, and each is parsed only when it is needed. The most common values of a message (strings without
//! escapes, integers) are skipped here; all others are validated by `serde_json`.

use std::borrow::Cow;

use serde::de::IgnoredAny;

use super::raw_value::{MalformedJson, RawJson, ValueKind};

/// Scans the text of a message from its first key to its end.
pub(crate) struct Scanner<'a> {
    /// The text that was not scanned yet.
    rest: &'a str,
}

impl<'a> Scanner<'a> {
    /// Creates a scanner in front of the first key. Fails if the text does not start an object.
    pub(crate) fn object(text: &'a str) -> Result<Scanner<'a>, MalformedJson> {
        let mut scanner = Scanner { rest: text };
        if scanner.consume("{") { Ok(scanner) } else { Err(MalformedJson) }
    }

    /// Returns the next key, unescaped, and its value. Returns `None` after the last one if the text ends there.
    #[inline]
    pub(crate) fn next_entry(&mut self, is_first: bool) -> Result<Option<(Cow<'a, str>, RawJson<'a>)>, MalformedJson> {
        if is_first || !self.consume(",") {
            if self.consume("}") {
                self.skip_whitespace();
                return if self.rest.is_empty() { Ok(None) } else { Err(MalformedJson) };
            }
            if !is_first {
                return Err(MalformedJson);
            }
        }
        let key = self.scan_key()?;
        Ok(Some((key, self.scan_value()?)))
    }

    /// Consumes a token and the whitespace in front of it. Returns whether the token was there.
    #[inline]
    fn consume(&mut self, token: &str) -> bool {
        let mut rest = self.rest.strip_prefix(token);
        if rest.is_none() && self.skip_whitespace() {
            rest = self.rest.strip_prefix(token);
        }
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Skips whitespace. Returns whether there was any.
    #[inline]
    fn skip_whitespace(&mut self) -> bool {
        let has_whitespace = matches!(self.rest.as_bytes(), [b' ' | b'\n' | b'\r' | b'\t', ..]);
        if has_whitespace {
            self.rest = self.rest.trim_start_matches([' ', '\n', '\r', '\t']);
        }
        has_whitespace
    }

    /// Consumes a key and the colon behind it.
    #[inline]
    fn scan_key(&mut self) -> Result<Cow<'a, str>, MalformedJson> {
        self.skip_whitespace();
        if let Some(inside) = self.rest.strip_prefix('"')
            && let Some((key, rest)) = inside.split_at_checked(find_special(inside.as_bytes()))
            && let Some(rest) = rest.strip_prefix("\":")
        {
            self.rest = rest;
            return Ok(Cow::Borrowed(key));
        }
        // A key with escapes, or with whitespace behind it.
        let key = self.checked_value()?.unescaped()?;
        if self.consume(":") { Ok(key) } else { Err(MalformedJson) }
    }

    #[inline]
    fn scan_value(&mut self) -> Result<RawJson<'a>, MalformedJson> {
        self.skip_whitespace();
        match self.rest.as_bytes() {
            [b'"', inside @ ..] => {
                let length = find_special(inside);
                if inside.get(length) == Some(&b'"') {
                    return self.take_value(length + 2, ValueKind::PlainString);
                }
            }
            [b'1'..=b'9', more @ ..] => {
                let digits = 1 + more.iter().take_while(|byte| byte.is_ascii_digit()).count();
                if !matches!(self.rest.as_bytes().get(digits), Some(b'.' | b'e' | b'E')) {
                    return self.take_value(digits, ValueKind::Integer);
                }
            }
            _ => {}
        }
        self.checked_value()
    }

    /// Consumes a value of that length in bytes.
    #[inline]
    fn take_value(&mut self, length: usize, kind: ValueKind) -> Result<RawJson<'a>, MalformedJson> {
        let (text, rest) = self.rest.split_at_checked(length).ok_or(MalformedJson)?;
        self.rest = rest;
        Ok(RawJson { text, kind })
    }

    #[cold]
    #[inline(never)]
    fn checked_value(&mut self) -> Result<RawJson<'a>, MalformedJson> {
        let mut values = serde_json::Deserializer::from_str(self.rest).into_iter::<IgnoredAny>();
        match values.next() {
            Some(Ok(_)) => self.take_value(values.byte_offset(), ValueKind::Other),
            _ => Err(MalformedJson),
        }
    }
}

/// Returns the index of the first byte that is special in a JSON string: a quote, a backslash or a control character.
/// Returns the number of bytes if no byte is special.
#[inline]
fn find_special(bytes: &[u8]) -> usize {
    let mut index = 0;
    // Inlined up to the length of most keys and short values.
    while index < 16
        && let Some(word) = bytes[index..].first_chunk()
    {
        if let Some(found) = find_special_in_word(*word) {
            return index + found;
        }
        index += word.len();
    }
    index + find_special_in_rest(&bytes[index..])
}

/// Does the same as [`find_special`] for longer texts: skips blocks of 16 bytes.
#[inline(never)]
fn find_special_in_rest(bytes: &[u8]) -> usize {
    // A fold has no branch per byte, so the compiler tests all bytes of a block at once.
    let has_special = |block: &[u8; 16]| block.iter().fold(false, |found, byte| found | is_special(*byte));
    let blocks = bytes.as_chunks().0.iter().take_while(|block| !has_special(block)).count();
    let mut index = blocks * 16;
    for word in bytes[index..].as_chunks().0 {
        if let Some(found) = find_special_in_word(*word) {
            return index + found;
        }
        index += word.len();
    }
    index + bytes[index..].iter().take_while(|byte| !is_special(**byte)).count()
}

/// Returns whether a byte is a quote, a backslash or a control character. Flipping the bit maps the quote to the space and
/// keeps control characters below it, so that one comparison finds both.
#[inline]
fn is_special(byte: u8) -> bool {
    byte ^ 2 <= b' ' || byte == b'\\'
}

/// Tests eight bytes at once as [`is_special`] does, and returns the index of the first special one.
///
/// Each subtraction sets the highest bit of the bytes that borrow. A borrow can spread to higher bytes only, so the lowest
/// set bit is exact. Bytes above 127 are not special, so their highest bit is cleared.
#[inline]
fn find_special_in_word(bytes: [u8; 8]) -> Option<usize> {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGHEST: u64 = ONES << 7;
    let word = u64::from_le_bytes(bytes);
    let below_limit = (word ^ (ONES * 2)).wrapping_sub(ONES * 0x21);
    let backslash = (word ^ (ONES * 0x5C)).wrapping_sub(ONES);
    let found = (below_limit | backslash) & !word & HIGHEST;
    (found != 0).then(|| found.trailing_zeros() as usize / 8)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Just, Strategy, any, prop_assert_eq, prop_oneof, proptest};

    use super::*;

    fn entries(text: &str) -> Result<Vec<(String, String)>, MalformedJson> {
        let mut scanner = Scanner::object(text)?;
        let mut found = Vec::new();
        while let Some((key, value)) = scanner.next_entry(found.is_empty())? {
            found.push((key.into_owned(), value.text.to_owned()));
        }
        Ok(found)
    }

    #[test]
    fn scanner_finds_keys_and_the_text_of_their_values() {
        let text = r#" { "a" : "x\"y" , "b\u0031":[1, {"c":"]"}],"n":-1.5e3 ,"t":true,"z":0, "i":12 } "#;
        let found = entries(text).unwrap();
        let shown: Vec<_> = found.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        let expected =
            [("a", r#""x\"y""#), ("b1", r#"[1, {"c":"]"}]"#), ("n", "-1.5e3"), ("t", "true"), ("z", "0"), ("i", "12")];
        assert_eq!(shown, expected);
    }

    #[test]
    fn text_other_than_one_object_is_malformed() {
        for text in [
            "",
            "{",
            "[]",
            "5",
            "\"x\"",
            "{}x",
            "{} {}",
            "{,}",
            "{\"a\":1,}",
            "{\"a\" 1}",
            "{a:1}",
            "{\"a\":01}",
            "{\"a\":1 \"b\":2}",
            "{\"a\":\"\n\"}",
            "{\"a\":\"\\q\"}",
            "{\"a\":tru}",
            "{\"a\":1.}",
            "{\"a\":[1,]}",
            "{\"a\":}",
            "{\"a\":NaN}",
            "{\"a\":12x}",
            "{\"\\ud800\":1}",
            "{,\"a\":1}",
        ] {
            assert_eq!(entries(text), Err(MalformedJson), "{text}");
        }
    }

    #[test]
    fn string_of_any_length_ends_at_its_quote() {
        for length in 0..100 {
            let text = "x".repeat(length);
            for (inside, is_valid) in [("", true), ("\u{e9}", true), ("\\\"", true), ("\n", false), ("\u{1f}", false)] {
                for at in 0..=length {
                    let value = format!("\"{}{inside}{}\"", &text[..at], &text[at..]);
                    let found = entries(&format!("{{\"k\":{value},\"l\":1}}"));
                    let expected = [("k".to_owned(), value), ("l".to_owned(), "1".to_owned())];
                    assert_eq!(found, if is_valid { Ok(expected.to_vec()) } else { Err(MalformedJson) });
                }
            }
        }
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        use serde_json::Value;
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".*".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::hash_map(".{0,4}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn scanner_agrees_with_serde_json_on_objects(value in json(), pretty: bool) {
            let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
            // Parsed again, because a written float may differ from the original one.
            let Ok(map) = serde_json::from_str::<serde_json::Map<_, _>>(&text) else {
                prop_assert_eq!(entries(&text), Err(MalformedJson));
                return Ok(());
            };
            let found = entries(&text).unwrap();
            prop_assert_eq!(found.len(), map.len());
            for (key, raw) in found {
                let parsed: serde_json::Value = serde_json::from_str(&raw).unwrap();
                prop_assert_eq!(&parsed, &map[&key]);
            }
        }

        #[test]
        fn scanner_accepts_what_serde_json_accepts(text in r#"\{?["\\a:,\[\]\{\}0-9. tn]{0,12}\}?"#) {
            // The two differ in lone surrogates only: in a value, the scanner accepts them. The pattern cannot generate any.
            let ours = entries(&text).is_ok();
            let theirs = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&text).is_ok();
            prop_assert_eq!(ours, theirs, "{}", text);
        }
    }
}
