//! Permissions made of authorization functions for HTTP requests.

use std::sync::OnceLock;

use http::request::Parts;
use http::{HeaderValue, Method, Uri};

use crate::context::Scope;
use crate::error::{Error, Result};

/// An HTTP request as the function of an [`http_permission!`](crate::http_permission) reads it: the request that opened a
/// WebSocket connection, or any other one.
///
/// Of the request that opened a connection, only the headers that the permission declares can be read, because the endpoint
/// may not keep others. An `HttpRequest` that a middleware creates from the [`Parts`] of a request that it is processing has
/// all headers.
///
/// # Examples
///
/// ```
/// use portcullis::{HttpRequest, Result};
///
/// /// Holds for requests from the office.
/// async fn in_the_office(request: &HttpRequest<'_>) -> Result<bool> {
///     Ok(request.header("x-office")?.is_some())
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// // In an HTTP middleware:
/// let (parts, ()) = http::Request::get("/export").header("x-office", "north").body(()).unwrap().into_parts();
/// assert!(in_the_office(&HttpRequest::from(&parts)).await.unwrap());
/// # });
/// ```
#[derive(Debug)]
pub struct HttpRequest<'a> {
    parts: &'a Parts,
    /// The names of the headers that can be read, or `None` for all.
    headers: Option<&'static [&'static str]>,
    /// The first header that was read although it cannot be.
    unreadable: OnceLock<Box<str>>,
}

impl<'a> From<&'a Parts> for HttpRequest<'a> {
    fn from(parts: &'a Parts) -> HttpRequest<'a> {
        HttpRequest { parts, headers: None, unreadable: OnceLock::new() }
    }
}

impl<'a> HttpRequest<'a> {
    /// Returns the method of the request.
    pub fn method(&self) -> &'a Method {
        &self.parts.method
    }

    /// Returns the URI of the request. That of a request that opened a connection consists of path and query.
    pub fn uri(&self) -> &'a Uri {
        &self.parts.uri
    }

    /// Returns the value of a header, the first one if there are several. Returns `None` if the request does not have the
    /// header or the value is not visible ASCII.
    ///
    /// # Errors
    ///
    /// A fault (500) if the permission does not declare the header, because the endpoint may not have kept it. The
    /// permission then refuses, whatever the function returns, and the log names the header.
    pub fn header(&self, name: &str) -> Result<Option<&'a str>> {
        Ok(self.header_values(name)?.next().and_then(|value| value.to_str().ok()))
    }

    /// Returns all values of a header, in the order of the request.
    ///
    /// # Errors
    ///
    /// As [`header`](HttpRequest::header).
    pub fn header_values(&self, name: &str) -> Result<impl Iterator<Item = &'a HeaderValue> + use<'a>> {
        let is_readable =
            self.headers.is_none_or(|headers| headers.iter().any(|header| header.eq_ignore_ascii_case(name)));
        if is_readable {
            return Ok(self.parts.headers.get_all(name).into_iter());
        }
        Err(undeclared(self.unreadable.get_or_init(|| name.into())))
    }

    /// Returns the value of type `T` in the extensions of the request, or `None` if they have no such value.
    pub fn extension<T: Clone + Send + Sync + 'static>(&self) -> Option<&'a T> {
        self.parts.extensions.get()
    }
}

#[cold]
fn undeclared(header: &str) -> Error {
    Error::internal(format!(
        "header `{header}` was read but is not declared; add it to the `headers(..)` of the `http_permission!`"
    ))
}

impl<U> Scope<U> {
    /// Returns the request that opened the connection, for an [`http_permission!`](crate::http_permission) that declares
    /// these headers.
    ///
    /// # Errors
    ///
    /// A fault (500) if the endpoint does not keep one of the headers.
    #[doc(hidden)]
    pub fn __http_request(&self, headers: &'static [&'static str]) -> Result<HttpRequest<'_>> {
        let parts = self.request(headers)?;
        Ok(HttpRequest { parts, headers: Some(headers), unreadable: OnceLock::new() })
    }
}

/// Converts the return value of the function of an `http_permission!` into the answer of the leaf.
///
/// # Errors
///
/// The error of the function. A fault if the function has read a header that is not declared.
pub fn rule_answer(request: &HttpRequest<'_>, answer: impl RuleAnswer) -> Result<bool> {
    match request.unreadable.get() {
        Some(header) => Err(undeclared(header)),
        None => answer.answer(),
    }
}

/// Checks at compile time that the declared headers have valid names.
///
/// # Panics
///
/// Panics if a text is not the name of a header.
pub const fn check_header_names(headers: &[&str]) {
    let mut header = 0;
    while header < headers.len() {
        let name = headers[header].as_bytes();
        assert!(
            !name.is_empty(),
            "`headers(..)` of `http_permission!` has an empty text; write a header name such as `x-office`"
        );
        let mut index = 0;
        while index < name.len() {
            let is_token = name[index].is_ascii_alphanumeric()
                || matches!(
                    name[index],
                    b'!' | b'#'
                        | b'$'
                        | b'%'
                        | b'&'
                        | b'\''
                        | b'*'
                        | b'+'
                        | b'-'
                        | b'.'
                        | b'^'
                        | b'_'
                        | b'`'
                        | b'|'
                        | b'~'
                );
            assert!(
                is_token,
                "`headers(..)` of `http_permission!` has a text that is not a header name; write one such as `x-office`"
            );
            index += 1;
        }
        header += 1;
    }
}

/// A type that the function of [`http_permission!`](crate::http_permission) may return.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "the function of `http_permission!` cannot return `{Self}`",
    label = "neither `bool` nor a `Result` of one",
    note = "return `bool`, or a `Result<bool, E>` whose error converts into `portcullis::Error`"
)]
pub trait RuleAnswer {
    /// Converts the return value into the result of a permission.
    fn answer(self) -> Result<bool>;
}

impl RuleAnswer for bool {
    fn answer(self) -> Result<bool> {
        Ok(self)
    }
}

impl<E: Into<Error>> RuleAnswer for Result<bool, E> {
    fn answer(self) -> Result<bool> {
        self.map_err(Into::into)
    }
}

/// Declares a permission that calls an async function with an HTTP request and the user, so that one function authorizes
/// both HTTP requests and messages.
///
/// The function receives the request that opened the connection as an [`HttpRequest`](crate::HttpRequest). `headers(..)`
/// declares the headers that it reads, which the endpoint keeps. Reading another one is a fault (500), whatever the function
/// returns: the permission refuses, and the log names it and the header. The function returns `bool`, or a `Result<bool, E>`
/// whose error converts into [`Error`](crate::Error). It is evaluated per message and when the client connects: its result
/// is the permission's opinion on connecting. It can stand in the expressions of groups too.
///
/// ```standalone_crate
/// use portcullis::{HttpRequest, Result, User, consumer, http_permission};
/// # struct Member { staff: bool }
/// # impl User for Member { fn id(&self) -> std::borrow::Cow<'_, str> { "7".into() } }
///
/// /// The function that an HTTP middleware uses.
/// async fn may_export(request: &HttpRequest<'_>, user: Option<&Member>) -> Result<bool> {
///     Ok(user.is_some_and(|member| member.staff) && request.header("x-office")?.is_some())
/// }
///
/// http_permission! {
///     /// Grants staff who connect from the office.
///     pub struct MayExport(Member) = may_export, headers("x-office");
/// }
///
/// # struct Reports;
/// #[consumer(user = Member)]
/// impl Reports {
///     #[action(permission = MayExport)]
///     async fn export(&self) {}
/// }
///
/// let endpoint = portcullis::websocket(Reports);
/// ```
#[macro_export]
macro_rules! http_permission {
    ($($(#[$attribute:meta])* $visibility:vis struct $name:ident($user:ty) = $rule:path $(, headers($($header:literal),+ $(,)?))?;)+) => { $(
        $(#[$attribute])*
        #[derive(Debug, Clone, Copy)]
        $visibility struct $name;

        const _: () = {
            const HEADERS: &'static [&'static str] = &[$($($header),+)?];
            const _: () = $crate::__private::check_header_names(HEADERS);

            impl $name {
                async fn __evaluate(scope: &$crate::Scope<$user>) -> $crate::Result<bool> {
                    let request = scope.__http_request(HEADERS)?;
                    let answer = $rule(&request, scope.user()).await;
                    $crate::__private::rule_answer(&request, answer)
                }
            }

            impl<H: $crate::Handler<User = $user>> $crate::Permission<H> for $name {
                const HEADERS: &'static [&'static str] = HEADERS;

                async fn has_permission(&self, _: &H, cx: &$crate::PermissionContext<'_, $user>) -> $crate::Result<bool> {
                    Self::__evaluate(cx.scope()).await
                }

                async fn can_connect(&self, _: &H, cx: &$crate::ConnectContext<'_, $user>) -> $crate::Result<::core::option::Option<bool>> {
                    Self::__evaluate(cx.scope()).await.map(::core::option::Option::Some)
                }
            }

            impl<G: ::core::marker::Sync, C: $crate::Consumer + $crate::Handler<User = $user>> $crate::GroupPermission<G, C> for $name {
                const HEADERS: &'static [&'static str] = HEADERS;

                async fn may_join(&self, _: &C, scope: &$crate::Scope<$user>, _: &G) -> $crate::Result<bool> {
                    Self::__evaluate(scope).await
                }
            }
        };
    )+ };
}
