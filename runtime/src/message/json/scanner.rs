//! Finds the top-level keys of a message and the text of their values in one pass that also validates the JSON.
//!
//! Values stay text, and each is parsed only when it is needed. The most common values of a message (strings without
//! escapes, integers) are skipped here; all others are validated by `serde_json`.

use std::borrow::Cow;

use serde::de::IgnoredAny;

use super::raw_value::{MalformedJson, RawJson, ValueKind};

/// Scans the text of a message from its first key to its end.
pub(crate) struct Scanner<'a> {
    text: &'a str,
    position: usize,
}

impl<'a> Scanner<'a> {
    /// Creates a scanner in front of the first key. Fails if the text does not start an object.
    pub(crate) fn object(text: &'a str) -> Result<Scanner<'a>, MalformedJson> {
        let mut scanner = Scanner { text, position: 0 };
        scanner.expect(b'{')?;
        Ok(scanner)
    }

    /// Returns the next key, unescaped, and its value. Returns `None` after the last one if the text ends there.
    #[inline]
    pub(crate) fn next_entry(&mut self, is_first: bool) -> Result<Option<(Cow<'a, str>, RawJson<'a>)>, MalformedJson> {
        match self.peek() {
            Some(b'}') => {
                self.position += 1;
                return if self.peek().is_none() { Ok(None) } else { Err(MalformedJson) };
            }
            Some(b',') if !is_first => {
                self.position += 1;
                self.peek();
            }
            _ if is_first => {}
            _ => return Err(MalformedJson),
        }
        let key = self.scan_key()?;
        self.expect(b':')?;
        Ok(Some((key, self.scan_value()?)))
    }

    /// Skips whitespace and returns the next byte without consuming it.
    #[inline]
    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.text.as_bytes().get(self.position) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.position += 1,
                other => return other.copied(),
            }
        }
    }

    #[inline]
    fn expect(&mut self, byte: u8) -> Result<(), MalformedJson> {
        if self.peek() != Some(byte) {
            return Err(MalformedJson);
        }
        self.position += 1;
        Ok(())
    }

    #[inline]
    fn scan_key(&mut self) -> Result<Cow<'a, str>, MalformedJson> {
        match self.plain_string() {
            Some(key) => Ok(Cow::Borrowed(key)),
            None => self.checked_value()?.unescaped(),
        }
    }

    #[inline]
    fn scan_value(&mut self) -> Result<RawJson<'a>, MalformedJson> {
        match self.peek() {
            Some(b'"') => {
                let start = self.position;
                match self.plain_string() {
                    Some(_) => Ok(RawJson { text: &self.text[start..self.position], kind: ValueKind::PlainString }),
                    None => self.checked_value(),
                }
            }
            Some(b'1'..=b'9') => self.integer(),
            _ => self.checked_value(),
        }
    }

    /// Consumes a string without escapes and returns its content. Consumes nothing and returns `None` if the next value is
    /// anything else.
    #[inline]
    fn plain_string(&mut self) -> Option<&'a str> {
        let (quote, inside) = self.text.as_bytes().get(self.position..)?.split_first()?;
        let length = if *quote == b'"' { find_special(inside)? } else { return None };
        if inside.get(length) != Some(&b'"') {
            return None;
        }
        let start = self.position + 1;
        self.position = start + length + 1;
        self.text.get(start..start + length)
    }

    #[inline]
    fn integer(&mut self) -> Result<RawJson<'a>, MalformedJson> {
        let rest = &self.text[self.position..];
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if let Some(b'.' | b'e' | b'E') = rest.as_bytes().get(digits) {
            return self.checked_value();
        }
        self.position += digits;
        Ok(RawJson { text: &rest[..digits], kind: ValueKind::Integer })
    }

    #[cold]
    #[inline(never)]
    fn checked_value(&mut self) -> Result<RawJson<'a>, MalformedJson> {
        let rest = &self.text[self.position..];
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<IgnoredAny>();
        match values.next() {
            Some(Ok(_)) => {
                let end = values.byte_offset();
                self.position += end;
                Ok(RawJson { text: &rest[..end], kind: ValueKind::Other })
            }
            _ => Err(MalformedJson),
        }
    }
}

/// Returns the index of the first byte that is special in a JSON string: a quote, a backslash or a control character.
///
/// Tests eight bytes at once: the subtraction sets the highest bit of each byte that borrows. A borrow can spread to
/// higher bytes only, so the lowest set bit is exact.
#[inline(never)]
fn find_special(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGHEST: u64 = ONES << 7;
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word;
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let quote = below(word ^ (ONES * u64::from(b'"')), 1);
        let backslash = below(word ^ (ONES * u64::from(b'\\')), 1);
        let found = (below(word, u64::from(b' ')) | quote | backslash) & HIGHEST;
        if found != 0 {
            return Some(index * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..b' ');
    rest.iter().position(special).map(|index| words.len() * 8 + index)
}

/// Returns the nesting depth of arrays and objects in a valid JSON value. The depth of a scalar is 0.
pub(crate) fn depth(value: &str) -> usize {
    if !matches!(value.as_bytes(), [b'{' | b'[', ..]) {
        return 0;
    }
    let (mut max_depth, mut depth, mut is_in_string, mut is_escaped) = (0, 0_usize, false, false);
    for byte in value.bytes() {
        if is_in_string {
            is_in_string = is_escaped || byte != b'"';
            is_escaped = !is_escaped && byte == b'\\';
            continue;
        }
        match byte {
            b'"' => is_in_string = true,
            b'{' | b'[' => {
                depth += 1;
                max_depth = max_depth.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    max_depth
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

    #[test]
    fn depth_ignores_brackets_in_strings() {
        assert_eq!(depth("5"), 0);
        assert_eq!(depth("\"[[\""), 0);
        assert_eq!(depth("[]"), 1);
        assert_eq!(depth(r#"[{"a":["\"]"]},[]]"#), 3);
        assert_eq!(depth(r#"["\\",[]]"#), 2);
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
