//! One message of a client, taken apart: the envelope's keys, and every other key with the text of its value.

use std::borrow::Cow;
use std::collections::HashSet;

use http::StatusCode;
use smallvec::SmallVec;

use super::json::{self, Malformed, Scan, Value};
use crate::error::{Error, Result};

/// A top-level key that is not the envelope's, unescaped, and its value.
pub(crate) type Field<'a> = (Cow<'a, str>, Value<'a>);

/// Keys of a message that are looked for one by one before a set is built.
const FEW: usize = 16;

/// The envelope.
#[derive(Debug, Default)]
pub(crate) struct Envelope<'a> {
    /// The action's name, unescaped.
    pub(crate) action: Cow<'a, str>,
    /// The same as sent, a JSON string; `None` where the message named none.
    pub(crate) action_sent: Option<&'a str>,
    /// The route, unescaped, without its query.
    pub(crate) route: Cow<'a, str>,
    /// What follows the `?` in the route.
    pub(crate) query: Cow<'a, str>,
    /// The whole route as sent, a JSON string.
    pub(crate) route_sent: Option<&'a str>,
    /// Any JSON value, as sent.
    pub(crate) request_id: Option<&'a str>,
}

/// A message.
#[derive(Debug, Default)]
pub(crate) struct Request<'a> {
    pub(crate) head: Envelope<'a>,
    pub(crate) fields: SmallVec<[Field<'a>; 4]>,
}

/// What bounds a message beside its size.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RequestLimits {
    pub(crate) nesting: usize,
    pub(crate) request_id: usize,
    pub(crate) objects: usize,
}

impl<'a> Request<'a> {
    /// Reads a message into an empty request. After an error it holds what a reply may echo.
    pub(crate) fn read(&mut self, text: &'a str, bounds: RequestLimits) -> Result<()> {
        let mut reading = Reading { request: self, wrong: None, bounds };
        if reading.entries(text).is_ok() {
            return reading.finish();
        }
        // Nothing of a text that is no JSON can be trusted to be what the client meant.
        *self = Request::default();
        Err(malformed("malformed_message", "The message is not a JSON object."))
    }
}

struct Reading<'r, 'a> {
    request: &'r mut Request<'a>,
    /// The first thing that is wrong with a message that is JSON.
    wrong: Option<Error>,
    bounds: RequestLimits,
}

impl<'a> Reading<'_, 'a> {
    fn entries(&mut self, text: &'a str) -> Result<(), Malformed> {
        let mut scan = Scan::object(text)?;
        let mut first = true;
        while let Some((key, value)) = scan.entry(first)? {
            first = false;
            if json::depth(value.text) >= self.bounds.nesting {
                self.complain(malformed("too_deep", "The message is nested too deeply."));
            }
            match &*key {
                "action" => self.action(value),
                "route" => self.route(value),
                "request_id" => self.request_id(value.text),
                _ => self.request.fields.push((key, value)),
            }
        }
        Ok(())
    }

    fn complain(&mut self, error: Error) {
        self.wrong.get_or_insert(error);
    }

    fn action(&mut self, value: Value<'a>) {
        if self.request.head.action_sent.is_some() {
            return self.complain(repeated("action"));
        }
        match value.unescaped() {
            Ok(action) => {
                self.request.head.action = action;
                self.request.head.action_sent = Some(value.text);
            }
            Err(Malformed) => {
                self.complain(malformed("missing_action", "The action must be a string.").with_field("action"));
            }
        }
    }

    fn route(&mut self, value: Value<'a>) {
        if self.request.head.route_sent.is_some() {
            return self.complain(repeated("route"));
        }
        match value.unescaped() {
            Ok(sent) => {
                (self.request.head.route, self.request.head.query) = without_query(sent);
                self.request.head.route_sent = Some(value.text);
            }
            Err(Malformed) => {
                self.complain(malformed("invalid_route", "The route must be a string.").with_field("route"));
            }
        }
    }

    fn request_id(&mut self, value: &'a str) {
        if self.request.head.request_id.is_some() {
            return self.complain(repeated("request_id"));
        }
        if value.len() > self.bounds.request_id {
            return self
                .complain(malformed("request_id_too_long", "The request id is too long.").with_field("request_id"));
        }
        self.request.head.request_id = Some(value);
    }

    fn finish(mut self) -> Result<()> {
        if let Some(key) = repeated_key(&self.request.fields) {
            let error = repeated(key);
            self.complain(error);
        }
        if self.request.head.action_sent.is_none() {
            self.complain(malformed("missing_action", "The message names no action.").with_field("action"));
        }
        self.wrong.map_or(Ok(()), Err)
    }
}

fn malformed(code: &'static str, detail: &'static str) -> Error {
    Error::new(StatusCode::BAD_REQUEST, code, detail)
}

fn repeated(key: &str) -> Error {
    malformed("repeated_key", "The message repeats a key.").with_field(key.to_owned())
}

fn repeated_key<'r>(fields: &'r [Field<'_>]) -> Option<&'r str> {
    if fields.len() <= FEW {
        let mut rest = fields.iter().enumerate();
        return rest.find(|(at, field)| fields[..*at].iter().any(|earlier| earlier.0 == field.0)).map(|(_, f)| &*f.0);
    }
    let mut seen = HashSet::with_capacity(fields.len());
    fields.iter().map(|field| &*field.0).find(|key| !seen.insert(*key))
}

fn without_query(route: Cow<'_, str>) -> (Cow<'_, str>, Cow<'_, str>) {
    // Routes are short: a search for long texts would cost more than it saves.
    let Some(mark) = route.bytes().position(|byte| byte == b'?') else {
        return (route, Cow::Borrowed(""));
    };
    match route {
        Cow::Borrowed(route) => (Cow::Borrowed(&route[..mark]), Cow::Borrowed(&route[mark + 1..])),
        Cow::Owned(route) => (Cow::Owned(route[..mark].to_owned()), Cow::Owned(route[mark + 1..].to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: RequestLimits = RequestLimits { nesting: 4, request_id: 8, objects: 4 };

    fn code(text: &str) -> Option<String> {
        Request::default().read(text, BOUNDS).err().map(|e| e.code().to_owned())
    }

    #[test]
    fn takes_the_envelope_out_and_keeps_the_rest() {
        let text = r#"{"text":"hi","request_id": [1] ,"route":"rooms\/5\/?page=4","action":"s\u0065nd"}"#;
        let mut request = Request::default();
        request.read(text, BOUNDS).unwrap();
        assert_eq!(request.head.action, "send");
        assert_eq!(request.head.action_sent, Some(r#""s\u0065nd""#));
        assert_eq!((&*request.head.route, &*request.head.query), ("rooms/5/", "page=4"));
        assert_eq!(request.head.route_sent, Some(r#""rooms\/5\/?page=4""#));
        assert_eq!(request.head.request_id, Some("[1]"));
        let fields: Vec<_> = request.fields.iter().map(|(key, value)| (&**key, value.text)).collect();
        assert_eq!(fields, [("text", r#""hi""#)]);
    }

    #[test]
    fn each_mistake_has_its_code() {
        for (text, wanted) in [
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
            assert_eq!(code(text).as_deref(), Some(wanted), "{text}");
        }
        assert_eq!(code(r#"{"action":"a","request_id":"123456","x":[[[]]]}"#), None);
    }

    #[test]
    fn an_error_still_echoes_what_was_read() {
        let mut request = Request::default();
        let outcome = request.read(r#"{"x":1,"x":2,"action":"a","request_id":7}"#, BOUNDS);
        assert_eq!(outcome.unwrap_err().field(), Some("x"));
        assert_eq!((request.head.action_sent, request.head.request_id), (Some(r#""a""#), Some("7")));
    }

    #[test]
    fn a_repeated_key_is_found_among_many() {
        let many = (0..100).fold(String::new(), |all, n| format!(r#"{all},"k{n}":{n}"#));
        assert_eq!(code(&format!(r#"{{"action":"a"{many}}}"#)), None);
        assert_eq!(code(&format!(r#"{{"action":"a"{many},"k99":0}}"#)).as_deref(), Some("repeated_key"));
    }
}
