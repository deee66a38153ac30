//! Finds the top-level keys of a message and the text of their values, once, checking the JSON on the way.
//!
//! Values stay text: whoever needs one parses that slice and nothing else. What is common in a message
//! (short strings, whole numbers, literals) is skipped here; everything else goes through `serde_json`.

use std::borrow::Cow;

use serde::de::IgnoredAny;

/// The text is not one JSON object.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// A place in the text of a message.
pub(crate) struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scan<'a> {
    /// Starts in front of the first key. Fails where the text is no object.
    pub(crate) fn object(text: &'a str) -> Result<Scan<'a>, Malformed> {
        let mut scan = Scan { text, at: 0 };
        scan.expect(b'{')?;
        Ok(scan)
    }

    /// The next key, unescaped, and the text of its value; `None` after the last one, once the text has ended there.
    pub(crate) fn entry(&mut self, first: bool) -> Result<Option<(Cow<'a, str>, &'a str)>, Malformed> {
        if self.next_is(b'}') {
            self.at += 1;
            self.space();
            return if self.at == self.text.len() { Ok(None) } else { Err(Malformed) };
        }
        if !first {
            self.expect(b',')?;
        }
        self.space();
        let key = unescaped(self.string()?)?;
        self.expect(b':')?;
        Ok(Some((key, self.value()?)))
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn next_is(&mut self, byte: u8) -> bool {
        self.space();
        self.peek() == Some(byte)
    }

    fn expect(&mut self, byte: u8) -> Result<(), Malformed> {
        if self.next_is(byte) {
            self.at += 1;
            Ok(())
        } else {
            Err(Malformed)
        }
    }

    fn value(&mut self) -> Result<&'a str, Malformed> {
        self.space();
        match self.peek().ok_or(Malformed)? {
            b'"' => self.string(),
            b'1'..=b'9' => self.whole_number(),
            _ => self.other(),
        }
    }

    /// A string with its quotes.
    fn string(&mut self) -> Result<&'a str, Malformed> {
        let start = self.at;
        if self.peek() != Some(b'"') {
            return Err(Malformed);
        }
        let rest = &self.text.as_bytes()[start + 1..];
        match memchr::memchr2(b'"', b'\\', rest) {
            Some(end) if rest[end] == b'"' => {
                if rest[..end].iter().any(|b| *b < b' ') {
                    return Err(Malformed);
                }
                self.at = start + end + 2;
                Ok(&self.text[start..self.at])
            }
            _ => self.other(),
        }
    }

    fn whole_number(&mut self) -> Result<&'a str, Malformed> {
        let bytes = &self.text.as_bytes()[self.at..];
        let digits = bytes.iter().take_while(|b| b.is_ascii_digit()).count();
        if let Some(b'.' | b'e' | b'E') = bytes.get(digits) {
            return self.other();
        }
        let start = self.at;
        self.at += digits;
        Ok(&self.text[start..self.at])
    }

    fn other(&mut self) -> Result<&'a str, Malformed> {
        let rest = &self.text[self.at..];
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<IgnoredAny>();
        match values.next() {
            Some(Ok(_)) => {
                let end = values.byte_offset();
                self.at += end;
                Ok(&rest[..end])
            }
            _ => Err(Malformed),
        }
    }
}

/// What a JSON string says. The text must be a string with its quotes.
pub(crate) fn unescaped(raw: &str) -> Result<Cow<'_, str>, Malformed> {
    let inner = raw.strip_prefix('"').and_then(|r| r.strip_suffix('"')).ok_or(Malformed)?;
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Ok(Cow::Borrowed(inner));
    }
    serde_json::from_str::<String>(raw).map(Cow::Owned).map_err(|_| Malformed)
}

/// How deep arrays and objects nest in a value that is known to be JSON; a scalar has depth 0.
pub(crate) fn depth(value: &str) -> usize {
    if !value.starts_with(['{', '[']) {
        return 0;
    }
    let (mut deepest, mut now, mut in_string, mut escaped) = (0, 0_usize, false, false);
    for byte in value.bytes() {
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => {
                now += 1;
                deepest = deepest.max(now);
            }
            b'}' | b']' => now = now.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entries(text: &str) -> Result<Vec<(String, String)>, Malformed> {
        let mut scan = Scan::object(text)?;
        let mut found = Vec::new();
        while let Some((key, value)) = scan.entry(found.is_empty())? {
            found.push((key.into_owned(), value.to_owned()));
        }
        Ok(found)
    }

    #[test]
    fn finds_keys_and_the_text_of_their_values() {
        let text = r#" { "a" : "x\"y" , "b\u0031":[1, {"c":"]"}],"n":-1.5e3 ,"t":true,"z":0, "i":12 } "#;
        let found = entries(text).unwrap();
        let shown: Vec<_> = found.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        let wanted = [
            ("a", r#""x\"y""#),
            ("b1", r#"[1, {"c":"]"}]"#),
            ("n", "-1.5e3"),
            ("t", "true"),
            ("z", "0"),
            ("i", "12"),
        ];
        assert_eq!(shown, wanted);
    }

    #[test]
    fn refuses_what_is_no_single_object() {
        for text in [
            "", "{", "[]", "5", "\"x\"", "{}x", "{} {}", "{,}", "{\"a\":1,}", "{\"a\" 1}", "{a:1}", "{\"a\":01}",
            "{\"a\":1 \"b\":2}", "{\"a\":\"\n\"}", "{\"a\":\"\\q\"}", "{\"a\":tru}", "{\"a\":1.}", "{\"a\":[1,]}", "{\"a\":}",
            "{\"a\":NaN}", "{\"a\":12x}", "{\"\\ud800\":1}", "{,\"a\":1}",
        ] {
            assert_eq!(entries(text), Err(Malformed), "{text}");
        }
    }

    #[test]
    fn counts_depth_outside_strings_only() {
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
        fn agrees_with_serde_json_on_objects(value in json(), pretty: bool) {
            let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
            // Parsed again, as a float need not survive being written.
            match serde_json::from_str(&text).unwrap() {
                serde_json::Value::Object(map) => {
                    let found = entries(&text).unwrap();
                    prop_assert_eq!(found.len(), map.len());
                    for (key, raw) in found {
                        let parsed: serde_json::Value = serde_json::from_str(&raw).unwrap();
                        prop_assert_eq!(&parsed, &map[&key]);
                    }
                }
                _ => prop_assert_eq!(entries(&text), Err(Malformed)),
            }
        }

        #[test]
        fn accepts_what_serde_json_accepts(text in r#"\{?["\\a:,\[\]\{\}0-9. tn]{0,12}\}?"#) {
            // A key or string with a lone surrogate is the one thing that only a later parse refuses; none can come up here.
            let ours = entries(&text).is_ok();
            let theirs = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&text).is_ok();
            prop_assert_eq!(ours, theirs, "{}", text);
        }
    }
}
