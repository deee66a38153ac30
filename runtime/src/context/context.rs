//! The contexts of permissions, extractors and actions: the message and its connection.

use std::fmt;
use std::ops::Deref;
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

/// A message and its connection, for permissions: the user, the action and the arguments.
///
/// [`Permission`](crate::Permission) and [`ObjectPermission`](crate::ObjectPermission) receive it. An action receives a
/// [`Context`], which dereferences to it. A permission gets captures of the route as arguments, see
/// [`guide::permissions`](crate::guide::permissions). It is `Copy`.
///
/// ```
/// use portcullis::{Handler, Permission, PermissionContext, Result, User};
///
/// struct Member { banned_from: Vec<u64> }
/// # impl User for Member { fn id(&self) -> std::borrow::Cow<'_, str> { "7".into() } }
///
/// /// Grants members who are not banned from the room: `permission = "NotBanned({room})"`.
/// struct NotBanned(u64);
///
/// impl<H: Handler<User = Member>> Permission<H> for NotBanned {
///     async fn has_permission(&self, _handler: &H, cx: &PermissionContext<'_, Member>) -> Result<bool> {
///         Ok(!cx.require_user()?.banned_from.contains(&self.0))
///     }
/// }
/// ```
pub struct PermissionContext<'a, U> {
    call: &'a Call<'a, U>,
    /// That of the call. With it, the context is no type that clippy's `trivially_copy_pass_by_ref` wants passed by value.
    scope: &'a Scope<U>,
}

/// A message and its connection, for actions and extractors: a [`PermissionContext`] that also has captures and side
/// effects.
///
/// An action receives it if it has a parameter `cx: &Context<'_, Member>`, an extractor by
/// [`FromContext`](crate::FromContext), and [`Load`](crate::Load) to load an object. It is `Copy`.
///
/// ```
/// use portcullis::{AllowAny, Context, FromContext, Handler, Result, handler};
///
/// /// The language of a route such as `de/rooms/5/`.
/// struct Language(String);
///
/// impl<H: Handler> FromContext<H> for Language {
///     async fn from_context(_handler: &H, cx: &Context<'_, H::User>) -> Result<Self> {
///         Ok(Language(cx.capture("language")?))
///     }
/// }
///
/// struct Rooms;
///
/// #[handler(permission = AllowAny)]
/// impl Rooms {
///     #[action]
///     async fn greet(&self, cx: &Context<'_, ()>, #[extract] language: Language) -> String {
///         format!("{} says hello in {}", cx.action(), language.0)
///     }
/// }
/// ```
pub struct Context<'a, U> {
    permission_context: PermissionContext<'a, U>,
    access: CaptureAccess,
}

impl<U> Call<'_, U> {
    /// Returns the context for a permission.
    pub fn permission_context(&self) -> PermissionContext<'_, U> {
        PermissionContext { call: self, scope: self.scope() }
    }

    /// Returns the context for loading an object whose [`Load`](crate::Load) has declared these captures.
    pub fn load_context(&self, captures: &'static [&'static str]) -> Context<'_, U> {
        Context { permission_context: self.permission_context(), access: CaptureAccess::Declared(captures) }
    }

    /// Returns the context for the action and its extractors, which may read every capture and may have side effects.
    pub fn whole_context(&self) -> Context<'_, U> {
        Context { permission_context: self.permission_context(), access: CaptureAccess::All }
    }
}

impl<'a, U> Deref for Context<'a, U> {
    type Target = PermissionContext<'a, U>;

    fn deref(&self) -> &PermissionContext<'a, U> {
        &self.permission_context
    }
}

impl<'a, U> Context<'a, U> {
    /// Returns the call for recording side effects.
    ///
    /// # Errors
    ///
    /// A fault while an object is loaded: loading has no side effects.
    pub(crate) fn action_call(&self) -> Result<&'a Call<'a, U>> {
        match self.access {
            CaptureAccess::All => Ok(self.call),
            CaptureAccess::Declared(_) => {
                Err(Error::internal("`Load` cannot join or leave groups, publish events or close the connection"))
            }
        }
    }

    /// Parses a capture of the message's route. See [`Context`] for an example.
    ///
    /// An object can read the captures that it lists in its [`CAPTURES`](crate::Load::CAPTURES).
    ///
    /// # Errors
    ///
    /// - 404 `not_found` if the text is not a `T`: no such route exists.
    /// - 500 `internal_error` if an object does not list the capture, or if no pattern of the route has that name.
    pub fn capture<T: FromStr>(&self, name: &str) -> Result<T> {
        self.access.parse(self.call.captures(), name)
    }
}

impl<'a, U> PermissionContext<'a, U> {
    /// Returns whether the current thread belongs to the blocking pool.
    pub(crate) fn is_blocking_thread(&self) -> bool {
        self.call.is_blocking_thread()
    }

    /// Returns the scope of the connection that received the message.
    pub fn scope(&self) -> &'a Scope<U> {
        self.scope
    }

    /// Returns the user who sent the message, or `None` if the connection is anonymous.
    pub fn user(&self) -> Option<&'a U> {
        self.scope.user()
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

    /// Completes when the action is to stop early: the connection has ended, by the client or by the server, or the client has
    /// cancelled the message, see [`Endpoint::allow_cancel`](crate::Endpoint::allow_cancel).
    ///
    /// An action that has begun is not dropped when its connection ends. It runs until it returns, within its time limit,
    /// and what it publishes goes out; only its reply is dropped.
    /// Await this future beside work that is useless without the connection. To have an action dropped instead, write
    /// `#[action(cancel = drop)]`.
    ///
    /// It never completes in a permission of a group and in `#[authenticate]`.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future has no effect. A later call completes at once if the action has been cancelled by then.
    ///
    /// # Examples
    ///
    /// ```
    /// use portcullis::{Context, Error, Result, User};
    ///
    /// async fn import<U: User>(cx: &Context<'_, U>, rows: Vec<String>) -> Result<usize> {
    ///     for (number, row) in rows.iter().enumerate() {
    ///         tokio::select! {
    ///             // Between two rows, so that each row is stored as a whole.
    ///             () = cx.cancelled() => return Ok(number),
    ///             () = tokio::task::yield_now() => store(row).await?,
    ///         }
    ///     }
    ///     Ok(rows.len())
    /// }
    /// # async fn store(_: &str) -> Result<()> { Ok(()) }
    /// ```
    pub async fn cancelled(&self) {
        match self.call.cancelled() {
            Some(cancelled) => cancelled.await,
            None => std::future::pending().await,
        }
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
    /// In a `connect` expression, where there is no message, a fault (500): the log names the permission. Implement
    /// [`can_connect`](crate::Permission::can_connect) for a permission that reads arguments, or leave it out of `connect`.
    ///
    /// ```
    /// use portcullis::{Handler, Permission, PermissionContext, Result};
    ///
    /// /// Grants messages of at most 280 bytes.
    /// struct IsShort;
    ///
    /// impl<H: Handler> Permission<H> for IsShort {
    ///     async fn has_permission(&self, _handler: &H, cx: &PermissionContext<'_, H::User>) -> Result<bool> {
    ///         Ok(cx.argument::<String>("text")?.len() <= 280)
    ///     }
    /// }
    /// ```
    pub fn argument<T: Deserialize<'a>>(&self, name: &str) -> Result<T> {
        if self.call.is_connect() {
            let cause = format!("argument `{name}` was read in the connect phase, where there is no message");
            return Err(Error::internal(cause));
        }
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

impl<U> Clone for PermissionContext<'_, U> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<U> Copy for PermissionContext<'_, U> {}

impl<U> fmt::Debug for PermissionContext<'_, U> {
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
            let cx = call.permission_context();
            assert_eq!(cx.user(), None);
            assert_eq!(error_parts(cx.require_user()), (403, "permission_denied".into(), None));
        });
    }

    #[test]
    fn query_of_other_shape_is_bad_request() {
        with_call(None, |call| {
            let cx = call.permission_context();
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
            for cx in [call.whole_context(), call.load_context(&["room", "word", "other"])] {
                assert_eq!((cx.capture::<u8>("room").unwrap(), cx.capture::<String>("word").unwrap()), (5, "x".into()));
                assert_eq!(error_parts(cx.capture::<u8>("word")), (404, "not_found".into(), None));
                assert_eq!(error_parts(cx.capture::<u8>("other")), (500, "internal_error".into(), None));
            }
            let cx = call.load_context(&["word"]);
            assert_eq!(cx.capture::<String>("word").unwrap(), "x");
            assert_eq!(error_parts(cx.capture::<u8>("room")), (500, "internal_error".into(), None));
        });
    }

    #[test]
    fn argument_of_other_type_is_bad_request() {
        with_call(None, |call| {
            let cx = call.permission_context();
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
