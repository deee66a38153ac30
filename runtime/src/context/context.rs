//! The context of permissions, extractors and actions: the message and its connection.

use std::fmt;
use std::str::FromStr;

use http::StatusCode;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::capture::CaptureAccess;
use super::scope::parse_query;
use super::{Call, Scope};
use crate::error::{Error, Result};
use crate::message::ArgumentValue;
use crate::message::RequestId;

/// A message and its connection: the user, the action, the route with its captures, and the arguments.
///
/// Permissions and extractors receive it, and an action does if it has a parameter `cx: &Context<'_, Member>`. It is `Copy`.
///
/// ```
/// use portcullis::{Context, Error, Handler, Permission, Result, User};
///
/// struct Member { banned_from: Vec<u64> }
/// # impl User for Member { fn id(&self) -> std::borrow::Cow<'_, str> { "7".into() } }
///
/// /// Grants members who are not banned from the room of the route.
/// struct NotBanned;
///
/// impl<H: Handler<User = Member>> Permission<H> for NotBanned {
///     const CAPTURES: &'static [&'static str] = &["room"];
///
///     async fn has_permission(&self, _handler: &H, cx: &Context<'_, Member>) -> Result<bool> {
///         let room: u64 = cx.capture("room")?;
///         let member = cx.require_user()?;
///         Ok(!member.banned_from.contains(&room))
///     }
/// }
/// ```
pub struct Context<'a, U> {
    call: &'a Call<'a, U>,
    access: CaptureAccess,
}

impl<U> Call<'_, U> {
    /// Returns the context for a permission that has declared these captures.
    pub fn context(&self, captures: &'static [&'static str]) -> Context<'_, U> {
        Context { call: self, access: CaptureAccess::Declared(captures) }
    }

    /// Returns the context for the action and its extractors, which may read every capture and may have side effects.
    pub fn whole_context(&self) -> Context<'_, U> {
        Context { call: self, access: CaptureAccess::All }
    }
}

impl<'a, U> Context<'a, U> {
    /// Returns the call for recording side effects.
    ///
    /// # Errors
    ///
    /// A fault in a permission: permissions have no side effects.
    pub(crate) fn action_call(&self) -> Result<&'a Call<'a, U>> {
        match self.access {
            CaptureAccess::All => Ok(self.call),
            CaptureAccess::Declared(_) => {
                Err(Error::internal("a permission cannot join or leave groups or publish events"))
            }
        }
    }

    /// Returns whether the current thread belongs to the blocking pool.
    pub(crate) fn is_blocking_thread(&self) -> bool {
        self.call.is_blocking_thread()
    }

    /// Returns the scope of the connection that received the message.
    pub fn scope(&self) -> &'a Scope<U> {
        self.call.scope()
    }

    /// Returns the user who sent the message, or `None` if the connection is anonymous.
    pub fn user(&self) -> Option<&'a U> {
        self.call.scope().user()
    }

    /// Returns the user who sent the message.
    ///
    /// # Errors
    ///
    /// 403 `permission_denied` if the connection is anonymous.
    pub fn require_user(&self) -> Result<&'a U> {
        self.user().ok_or_else(Error::denied)
    }

    /// Returns the name of the action. It is `connect` if the context comes from
    /// [`ConnectContext::as_context`](crate::ConnectContext::as_context).
    pub fn action(&self) -> &'a str {
        &self.call.head().action
    }

    /// Returns the whole route of the message, without its query. Empty if the action belongs to the consumer itself.
    pub fn route(&self) -> &'a str {
        &self.call.head().route
    }

    /// Returns the `request_id` of the message, or `None` if it has none.
    pub fn request_id(&self) -> Option<RequestId> {
        RequestId::read(self.call.head().echo.request_id?)
    }

    /// Deserializes the query of the message's route, for example `page=4` of `rooms/?page=4`.
    ///
    /// To read the query of the HTTP request that opened the connection, use [`Scope::query`].
    ///
    /// # Errors
    ///
    /// 400 `invalid_query` with field `query` if the query is not a `T`.
    ///
    /// ```
    /// use portcullis::{Context, Result, User};
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Paging { page: Option<u32> }
    ///
    /// fn page<U: User>(cx: &Context<'_, U>) -> Result<u32> {
    ///     Ok(cx.query::<Paging>()?.page.unwrap_or(1))
    /// }
    /// ```
    pub fn query<T: DeserializeOwned>(&self) -> Result<T> {
        parse_query(&self.call.head().query).map_err(Error::into_message_error)
    }

    /// Parses a capture of the message's route. See [`Context`] for an example.
    ///
    /// A permission can read the captures that it lists in its [`CAPTURES`](crate::Permission::CAPTURES).
    ///
    /// # Errors
    ///
    /// - 404 `not_found` if the text is not a `T`: no such route exists.
    /// - 500 `internal_error` if a permission does not list the capture, or if no pattern of the route has that name.
    pub fn capture<T: FromStr>(&self, name: &str) -> Result<T> {
        self.access.parse(self.call.captures(), name)
    }

    /// Deserializes an argument: a top-level key of the message other than `action`, `route` and `request_id`.
    ///
    /// Intended for permissions. An action declares its arguments as parameters.
    ///
    /// # Errors
    ///
    /// The field of both errors is `name`:
    ///
    /// - 400 `missing_argument` if the message has no such key.
    /// - 400 `invalid_argument` if its value is not a `T`.
    ///
    /// ```
    /// use portcullis::{Context, Handler, Permission, Result};
    ///
    /// /// Grants messages of at most 280 bytes.
    /// struct IsShort;
    ///
    /// impl<H: Handler> Permission<H> for IsShort {
    ///     async fn has_permission(&self, _handler: &H, cx: &Context<'_, H::User>) -> Result<bool> {
    ///         Ok(cx.argument::<String>("text")?.len() <= 280)
    ///     }
    /// }
    /// ```
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
