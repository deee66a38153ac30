//! One message of a client, split into the keys of the envelope and all other keys with the text of their values.

use std::borrow::Cow;
use std::collections::HashSet;

use http::StatusCode;
use smallvec::SmallVec;

use super::Echo;
use super::json::{MalformedJson, RawJson, Scanner};
use crate::error::{Error, Result};

/// A top-level key that is not part of the envelope, unescaped, and its value.
pub(crate) type Field<'a> = (Cow<'a, str>, RawJson<'a>);

/// Maximum number of keys that are compared pairwise to find a repeated one. More keys are put into a hash set.
const MAX_PAIRWISE_COMPARED: usize = 16;

/// Maximum length of a key that an error quotes, in characters.
const MAX_QUOTED_CHARS: usize = 64;

/// The keys of a message that Portcullis itself reads.
#[derive(Debug, Default)]
pub(crate) struct Envelope<'a> {
    /// The name of the action, unescaped.
    pub(crate) action: Cow<'a, str>,
    /// The route, unescaped, without its query.
    pub(crate) route: Cow<'a, str>,
    /// The part of the route after `?`.
    pub(crate) query: Cow<'a, str>,
    /// The same keys as sent.
    pub(crate) echo: Echo<'a>,
}

/// A message that was read.
#[derive(Debug, Default)]
pub(crate) struct Request<'a> {
    pub(crate) head: Envelope<'a>,
    pub(crate) fields: SmallVec<[Field<'a>; 4]>,
}

/// The limits of a message other than its size, see [`Limits`](crate::Limits).
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_field_names, reason = "the names of the fields of `Limits`")]
pub(crate) struct RequestLimits {
    pub(crate) max_nesting: usize,
    pub(crate) max_request_id_bytes: usize,
    pub(crate) max_objects: usize,
}

impl<'a> Request<'a> {
    /// Reads a message into an empty request. After an error it holds the part of the envelope that the reply echoes.
    pub(crate) fn read(&mut self, text: &'a str, limits: RequestLimits) -> Result<()> {
        let mut parser = Parser { request: self, first_error: None, limits };
        if parser.parse(text).is_ok() {
            return parser.finish();
        }
        // In a text that is not JSON, no key is known to be what the client meant.
        *self = Request::default();
        Err(bad_message("malformed_message", "The message is not a JSON object."))
    }
}

struct Parser<'r, 'a> {
    request: &'r mut Request<'a>,
    /// The first error of a message that is a JSON object.
    first_error: Option<Error>,
    limits: RequestLimits,
}

impl<'a> Parser<'_, 'a> {
    fn parse(&mut self, text: &'a str) -> Result<(), MalformedJson> {
        let mut scanner = Scanner::object(text)?;
        let mut is_first = true;
        while let Some((key, value)) = scanner.next_entry(is_first)? {
            is_first = false;
            if value.depth() >= self.limits.max_nesting {
                self.record_error(bad_message("too_deep", "The message is nested too deeply."));
            }
            match &*key {
                "action" => self.set_action(value),
                "route" => self.set_route(value),
                "request_id" => self.set_request_id(value.text),
                _ => self.request.fields.push((key, value)),
            }
        }
        Ok(())
    }

    fn record_error(&mut self, error: Error) {
        self.first_error.get_or_insert(error);
    }

    fn set_action(&mut self, value: RawJson<'a>) {
        if self.request.head.echo.action.is_some() {
            return self.record_error(repeated_key("action"));
        }
        match value.unescaped() {
            Ok(action) => {
                self.request.head.action = action;
                self.request.head.echo.action = Some(value.text);
            }
            Err(MalformedJson) => {
                self.record_error(bad_message("missing_action", "The action must be a string.").with_field("action"));
            }
        }
    }

    fn set_route(&mut self, value: RawJson<'a>) {
        if self.request.head.echo.route.is_some() {
            return self.record_error(repeated_key("route"));
        }
        match value.unescaped() {
            Ok(sent) => {
                (self.request.head.route, self.request.head.query) = split_query(sent);
                self.request.head.echo.route = Some(value.text);
            }
            Err(MalformedJson) => {
                self.record_error(bad_message("invalid_route", "The route must be a string.").with_field("route"));
            }
        }
    }

    fn set_request_id(&mut self, value: &'a str) {
        if self.request.head.echo.request_id.is_some() {
            return self.record_error(repeated_key("request_id"));
        }
        if value.len() > self.limits.max_request_id_bytes {
            return self.record_error(
                bad_message("request_id_too_long", "The request id is too long.").with_field("request_id"),
            );
        }
        self.request.head.echo.request_id = Some(value);
    }

    fn finish(mut self) -> Result<()> {
        if let Some(key) = find_repeated_key(&self.request.fields) {
            let error = repeated_key(key);
            self.record_error(error);
        }
        if self.request.head.echo.action.is_none() {
            self.record_error(bad_message("missing_action", "The message names no action.").with_field("action"));
        }
        self.first_error.map_or(Ok(()), Err)
    }
}

fn bad_message(code: &'static str, detail: &'static str) -> Error {
    Error::new(StatusCode::BAD_REQUEST, code, detail)
}

fn repeated_key(key: &str) -> Error {
    bad_message("repeated_key", "The message repeats a key.")
        .with_field(key.chars().take(MAX_QUOTED_CHARS).collect::<String>())
}

fn find_repeated_key<'r>(fields: &'r [Field<'_>]) -> Option<&'r str> {
    if fields.len() <= MAX_PAIRWISE_COMPARED {
        let mut indexed = fields.iter().enumerate();
        let repeated = indexed.find(|(index, field)| fields[..*index].iter().any(|earlier| earlier.0 == field.0));
        return repeated.map(|(_, field)| &*field.0);
    }
    let mut seen = HashSet::with_capacity(fields.len());
    fields.iter().map(|field| &*field.0).find(|key| !seen.insert(*key))
}

fn split_query(route: Cow<'_, str>) -> (Cow<'_, str>, Cow<'_, str>) {
    // A plain loop, because routes are short: `memchr` pays off for long texts only.
    let Some(question_mark) = route.bytes().position(|byte| byte == b'?') else {
        return (route, Cow::Borrowed(""));
    };
    match route {
        Cow::Borrowed(route) => (Cow::Borrowed(&route[..question_mark]), Cow::Borrowed(&route[question_mark + 1..])),
        Cow::Owned(route) => {
            (Cow::Owned(route[..question_mark].to_owned()), Cow::Owned(route[question_mark + 1..].to_owned()))
        }
    }
}

#[cfg(test)]
mod fuzz;

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: RequestLimits = RequestLimits { max_nesting: 4, max_request_id_bytes: 8, max_objects: 4 };

    fn code(text: &str) -> Option<String> {
        Request::default().read(text, LIMITS).err().map(|e| e.code().to_owned())
    }

    #[test]
    fn request_is_split_into_envelope_and_fields() {
        let text = r#"{"text":"hi","request_id": [1] ,"route":"rooms\/5\/?page=4","action":"s\u0065nd"}"#;
        let mut request = Request::default();
        request.read(text, LIMITS).unwrap();
        assert_eq!(request.head.action, "send");
        assert_eq!(request.head.echo.action, Some(r#""s\u0065nd""#));
        assert_eq!((&*request.head.route, &*request.head.query), ("rooms/5/", "page=4"));
        assert_eq!(request.head.echo.route, Some(r#""rooms\/5\/?page=4""#));
        assert_eq!(request.head.echo.request_id, Some("[1]"));
        let fields: Vec<_> = request.fields.iter().map(|(key, value)| (&**key, value.text)).collect();
        assert_eq!(fields, [("text", r#""hi""#)]);
    }

    #[test]
    fn invalid_message_has_the_code_of_its_mistake() {
        for (text, expected) in [
            ("nonsense", "malformed_message"),
            ("{}", "missing_action"),
            (r#"{"action":5}"#, "missing_action"),
            (r#"{"action":"a","route":5}"#, "invalid_route"),
            (r#"{"action":"a","action":"a"}"#, "repeated_key"),
            (r#"{"action":"a","route":"","route":""}"#, "repeated_key"),
            (r#"{"action":"a","request_id":1,"request_id":1}"#, "repeated_key"),
            (r#"{"action":"a","x":1,"\u0078":1}"#, "repeated_key"),
            (r#"{"action":"a","request_id":"1234567"}"#, "request_id_too_long"),
            (r#"{"action":"a","x":[[[[]]]]}"#, "too_deep"),
            (r#"{"action":"a","request_id":[[[[]]]]}"#, "too_deep"),
        ] {
            assert_eq!(code(text).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(code(r#"{"action":"a","request_id":"123456","x":[[[]]]}"#), None);
    }

    #[test]
    fn invalid_message_keeps_the_envelope_for_the_reply() {
        let mut request = Request::default();
        let outcome = request.read(r#"{"x":1,"x":2,"action":"a","request_id":7}"#, LIMITS);
        assert_eq!(outcome.unwrap_err().field(), Some("x"));
        let long = format!(r#"{{"{0}":1,"{0}":2}}"#, "k".repeat(1000));
        assert_eq!(Request::default().read(&long, LIMITS).unwrap_err().field(), Some(&*"k".repeat(MAX_QUOTED_CHARS)));
        assert_eq!((request.head.echo.action, request.head.echo.request_id), (Some(r#""a""#), Some("7")));
    }

    #[test]
    fn repeated_key_among_many_keys_is_found() {
        let many = (0..100).fold(String::new(), |all, n| format!(r#"{all},"k{n}":{n}"#));
        assert_eq!(code(&format!(r#"{{"action":"a"{many}}}"#)), None);
        assert_eq!(code(&format!(r#"{{"action":"a"{many},"k99":0}}"#)).as_deref(), Some("repeated_key"));
    }
}
