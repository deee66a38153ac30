//! What permissions, extractors and actions see of the message on its way.

use std::fmt;
use std::str::FromStr;

use http::StatusCode;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::scope::parse_query;
use super::{Call, Scope};
use crate::error::{Error, Result};
use crate::message::ArgumentValue;
use crate::message::RequestId;

/// Which captures may be read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum CaptureAccess {
    /// All that the route provides.
    All,
    /// Those that a permission has declared, so that the check at the mount knows them.
    Declared(&'static [&'static str]),
}

/// One message on its way: who sent it, its action, its route with all captures, and its raw arguments.
pub struct Context<'a, U> {
    call: &'a Call<'a, U>,
    access: CaptureAccess,
}

impl<'a, U> Context<'a, U> {
    pub(crate) fn new(call: &'a Call<'a, U>, access: CaptureAccess) -> Context<'a, U> {
        Context { call, access }
    }

    /// The call, for an action: a permission is free of effects.
    pub(crate) fn action_call(&self) -> Result<&'a Call<'a, U>> {
        match self.access {
            CaptureAccess::All => Ok(self.call),
            CaptureAccess::Declared(_) => Err(Error::internal("a permission neither joins, leaves nor publishes")),
        }
    }

    /// Whether this thread may be held up.
    pub(crate) fn is_blocking_thread(&self) -> bool {
        self.call.is_blocking_thread()
    }

    /// The connection that the message came in on.
    pub fn scope(&self) -> &'a Scope<U> {
        self.call.scope()
    }

    /// Who sent the message; `None` is anonymous.
    pub fn user(&self) -> Option<&'a U> {
        self.call.scope().user()
    }

    /// Who sent the message; 403 for an anonymous connection.
    pub fn require_user(&self) -> Result<&'a U> {
        self.user().ok_or_else(Error::denied)
    }

    /// The action's name. In a strict connect expression it is `connect`.
    pub fn action(&self) -> &'a str {
        &self.call.head().action
    }

    /// The whole route, without its query; empty for the consumer itself.
    pub fn route(&self) -> &'a str {
        &self.call.head().route
    }

    /// The message's `request_id`, where it has one.
    pub fn request_id(&self) -> Option<RequestId> {
        RequestId::read(self.call.head().request_id?)
    }

    /// The query of the message's route (`rooms/?page=4`). 400 where it does not fit `T`.
    pub fn query<T: DeserializeOwned>(&self) -> Result<T> {
        parse_query(&self.call.head().query).map_err(Error::into_message_error)
    }

    /// A named part of the route, parsed. 404 where the text does not parse: such a route does not exist.
    ///
    /// A permission reads only what stands in its [`CAPTURES`](crate::Permission::CAPTURES); anything else, and a name
    /// that no pattern on the way has, is a fault (500).
    pub fn capture<T: FromStr>(&self, name: &str) -> Result<T> {
        let is_readable = match self.access {
            CaptureAccess::All => true,
            CaptureAccess::Declared(names) => names.contains(&name),
        };
        if !is_readable {
            return Err(Error::internal(format!("the capture `{name}` is read but does not stand in `CAPTURES`")));
        }
        let text = self.call.capture(name);
        let text = text.ok_or_else(|| Error::internal(format!("the route has no capture `{name}`")))?;
        text.parse().map_err(|_| Error::not_found().into_message_error())
    }

    /// A key of the message that is not the envelope's, parsed. 400 where it is missing or does not fit `T`.
    ///
    /// This is for permissions; an action declares what it needs as a parameter.
    pub fn argument<T: Deserialize<'a>>(&self, name: &str) -> Result<T> {
        let field = self.call.fields().iter().find(|field| field.0 == name);
        let wrong = |code, detail: String| {
            Error::new(StatusCode::BAD_REQUEST, code, detail).with_field(name.to_owned()).into_message_error()
        };
        let (_, value) = field.ok_or_else(|| wrong("missing_argument", format!("Missing argument `{name}`.")))?;
        T::deserialize(ArgumentValue::new(*value, self.call.decoded()))
            .map_err(|_| wrong("invalid_argument", format!("Invalid argument `{name}`.")))
    }
}

impl<U> Clone for Context<'_, U> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<U> Copy for Context<'_, U> {}

impl<U> fmt::Debug for Context<'_, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.call.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::context::User;
    use crate::message::{Request, RequestLimits};

    #[derive(Debug, PartialEq)]
    struct Member(u8);

    impl User for Member {
        fn id(&self) -> std::borrow::Cow<'_, str> {
            self.0.to_string().into()
        }
    }

    const TEXT: &str = r#"{"action":"send","route":"rooms/5/x/?page=4&sort=new","text":"hi","many":[1,2]}"#;

    fn with_call(user: Option<Member>, test: impl FnOnce(&Call<'_, Member>)) {
        let (parts, ()) = http::Request::get("/ws").body(()).unwrap().into_parts();
        let scope = Scope::new(user, parts);
        let mut request = Request::default();
        let readable = request.read(TEXT, RequestLimits { max_nesting: 8, max_request_id_bytes: 8, max_objects: 8 });
        readable.unwrap();
        test(&Call::new(&scope, &request.head, &request.fields, &[("room", "5"), ("word", "x")], &[]));
    }

    fn error_parts<T: fmt::Debug>(outcome: Result<T>) -> (u16, String, Option<String>) {
        let error = outcome.unwrap_err();
        (error.status().as_u16(), error.code().to_owned(), error.field().map(str::to_owned))
    }

    #[test]
    fn context_exposes_message_and_user() {
        with_call(Some(Member(7)), |call| {
            let cx = call.whole_context();
            assert_eq!((cx.user(), cx.require_user().unwrap()), (Some(&Member(7)), &Member(7)));
            assert_eq!((cx.action(), cx.route(), cx.scope().path()), ("send", "rooms/5/x/", "/ws"));
            assert_eq!(format!("{cx:?}"), format!("{call:?}"));
            assert!(format!("{cx:?}").contains("send"), "{cx:?}");
        });
        with_call(None, |call| {
            let cx = call.context(&[]);
            assert_eq!(cx.user(), None);
            assert_eq!(error_parts(cx.require_user()), (403, "permission_denied".into(), None));
        });
    }

    #[test]
    fn query_of_other_shape_is_bad_request() {
        with_call(None, |call| {
            let cx = call.context(&[]);
            let query: BTreeMap<String, String> = cx.query().unwrap();
            assert_eq!(query, BTreeMap::from([("page".into(), "4".into()), ("sort".into(), "new".into())]));
            assert_eq!(
                error_parts(cx.query::<BTreeMap<String, u8>>()),
                (400, "invalid_query".into(), Some("query".into()))
            );
        });
    }

    #[test]
    fn undeclared_capture_is_fault() {
        with_call(None, |call| {
            for cx in [call.whole_context(), call.context(&["room", "word", "other"])] {
                assert_eq!((cx.capture::<u8>("room").unwrap(), cx.capture::<String>("word").unwrap()), (5, "x".into()));
                assert_eq!(error_parts(cx.capture::<u8>("word")), (404, "not_found".into(), None));
                assert_eq!(error_parts(cx.capture::<u8>("other")), (500, "internal_error".into(), None));
            }
            let cx = call.context(&["word"]);
            assert_eq!(cx.capture::<String>("word").unwrap(), "x");
            assert_eq!(error_parts(cx.capture::<u8>("room")), (500, "internal_error".into(), None));
        });
    }

    #[test]
    fn argument_of_other_type_is_bad_request() {
        with_call(None, |call| {
            let cx = call.context(&[]);
            assert_eq!(cx.argument::<&str>("text").unwrap(), "hi");
            assert_eq!(cx.argument::<Vec<u8>>("many").unwrap(), [1, 2]);
            assert_eq!(error_parts(cx.argument::<u8>("text")), (400, "invalid_argument".into(), Some("text".into())));
            assert_eq!(
                error_parts(cx.argument::<u8>("action")),
                (400, "missing_argument".into(), Some("action".into()))
            );
        });
    }
}
