//! The handshake: connect permissions, strict connect expressions, authentication, origins and hooks.

use std::collections::HashMap;
use std::sync::Mutex;

use http::request::Parts;
use portcullis::testing::connect;
use portcullis::{
    AllowAny, Authenticate, ConnectContext, Context, Disconnect, Error, Handler, IsAuthenticated, Limits, Permission,
    PermissionContext, Result, consumer,
};

use crate::common::{HasRole, Member, member};

/// Rejects banned users in the handshake and has no opinion on others.
struct Banned;

impl<H: Handler<User = Member>> Permission<H> for Banned {
    async fn has_permission(&self, _: &H, cx: &PermissionContext<'_, Member>) -> Result<bool> {
        Ok(cx.user().is_some_and(|member| member.roles.contains(&"banned")))
    }

    async fn can_connect(&self, _: &H, cx: &ConnectContext<'_, Member>) -> Result<Option<bool>> {
        match cx.user() {
            Some(member) if member.roles.contains(&"banned") => Ok(Some(true)),
            Some(member) if member.roles.contains(&"broken") => Err(Error::internal("no database")),
            Some(member) if member.roles.contains(&"panics") => panic!("no database"),
            _ => Ok(None),
        }
    }
}

struct Lenient;

#[consumer(user = Member, permission = "IsAuthenticated & !Banned")]
impl Lenient {
    #[action]
    async fn ping(&self) -> &'static str {
        "pong"
    }
}

#[tokio::test]
async fn connect_without_opinion_is_accepted_and_messages_are_authorized() {
    let endpoint = portcullis::websocket(Lenient);
    let mut guest = connect(&endpoint).open().await.unwrap();
    assert_eq!(guest.call("ping").await.status(), 403);
    let mut user = connect(&endpoint).user(member(1, &[])).open().await.unwrap();
    assert_eq!(user.call("ping").await.status(), 200);
}

#[tokio::test]
async fn connect_permission_that_denies_fails_or_panics_rejects_the_handshake() {
    let endpoint = portcullis::websocket(Lenient);
    for (role, status) in [("banned", 403), ("broken", 500), ("panics", 500)] {
        let refused = connect(&endpoint).user(member(1, &[role])).open().await.unwrap_err();
        assert_eq!(refused.status(), status, "{role}");
    }
}

struct Strict;

#[consumer(user = Member, connect = "IsAuthenticated & (HasRole(\"staff\") | IsConnectAction)")]
impl Strict {
    #[action(permission = AllowAny)]
    async fn ping(&self) {}
}

/// Its `has_permission` is evaluated in the handshake, where the action is called `connect`.
struct IsConnectAction;

impl<H: Handler<User = Member>> Permission<H> for IsConnectAction {
    async fn has_permission(&self, _: &H, cx: &PermissionContext<'_, Member>) -> Result<bool> {
        Ok(cx.action() == "connect" && cx.route().is_empty() && cx.scope().path() == "/side")
    }
}

#[tokio::test]
async fn strict_connect_expression_evaluates_every_leaf() {
    let endpoint = portcullis::websocket(Strict);
    assert_eq!(connect(&endpoint).open().await.unwrap_err().status(), 401);
    assert_eq!(connect(&endpoint).user(member(1, &[])).open().await.unwrap_err().status(), 403);
    assert!(connect(&endpoint).user(member(1, &["staff"])).open().await.is_ok());
    assert!(connect(&endpoint).user(member(1, &[])).path("/side?x=1").open().await.is_ok());
}

/// Reads an argument of the message, and has no opinion on connecting.
struct ReadsArgument;

impl<H: Handler<User = Member>> Permission<H> for ReadsArgument {
    async fn has_permission(&self, _: &H, cx: &PermissionContext<'_, Member>) -> Result<bool> {
        Ok(cx.argument::<u32>("n")? > 0)
    }
}

struct Misplaced;

#[consumer(user = Member, connect = ReadsArgument)]
impl Misplaced {
    #[action(permission = ReadsArgument)]
    async fn ping(&self) {}
}

#[tokio::test]
async fn argument_that_is_read_in_a_strict_connect_expression_is_a_fault_that_names_the_leaf() {
    let log = crate::common::log_capture::LogCapture::start();
    let refused = connect(&portcullis::websocket(Misplaced)).user(member(1, &[])).open().await.unwrap_err();
    assert_eq!(refused.status(), 500);
    let lines = log.take();
    assert_eq!(lines.len(), 1, "{lines:?}");
    for part in ["ERROR", "ReadsArgument", "argument `n` was read in the connect phase, where there is no message"] {
        assert!(lines[0].contains(part), "{lines:?}");
    }
}

async fn from_header(parts: &Parts) -> Result<Option<Member>> {
    match parts.headers.get("x-user").and_then(|value| value.to_str().ok()) {
        None => Ok(None),
        Some("expired") => Err(Error::unauthenticated()),
        Some("broken") => Err(Error::internal("no database")),
        Some("panics") => panic!("no database"),
        Some("slow") => std::future::pending().await,
        Some(id) => Ok(id.parse().ok().map(|id| member(id, &[]))),
    }
}

/// The ids of users by their tokens.
struct Tokens(HashMap<&'static str, u32>);

impl Authenticate<Member> for Tokens {
    async fn authenticate(&self, parts: &Parts) -> Result<Option<Member>> {
        tokio::task::yield_now().await;
        let Some(token) = parts.headers.get("x-token") else { return Ok(None) };
        let id = self.0.get(token.to_str().unwrap_or_default()).ok_or_else(Error::unauthenticated)?;
        Ok(Some(member(*id, &[])))
    }
}

#[tokio::test]
async fn struct_authenticates_by_its_state() {
    let endpoint = portcullis::websocket(Identity).authenticate(Tokens(HashMap::from([("secret", 7)])));
    let mut user = connect(&endpoint).header("x-token", "secret").open().await.unwrap();
    assert_eq!(user.call("id").await.data(), 7);
    assert_eq!(connect(&endpoint).open().await.unwrap().call("id").await.data(), &serde_json::Value::Null);
    assert_eq!(connect(&endpoint).header("x-token", "guessed").open().await.unwrap_err().status(), 401);
}

#[tokio::test(start_paused = true)]
async fn authenticator_function_gets_the_request_and_returns_the_user() {
    let endpoint = portcullis::websocket(Identity).authenticate(from_header);
    let mut user = connect(&endpoint).header("x-user", "5").open().await.unwrap();
    assert_eq!(user.call("id").await.data(), 5);
    assert_eq!(connect(&endpoint).open().await.unwrap().call("id").await.data(), &serde_json::Value::Null);
    for (header, status) in [("expired", 401), ("broken", 500), ("panics", 500), ("slow", 500)] {
        assert_eq!(connect(&endpoint).header("x-user", header).open().await.unwrap_err().status(), status, "{header}");
    }
    // A user that a layer has inserted into the extensions takes precedence.
    let mut other = connect(&endpoint).header("x-user", "5").user(member(6, &[])).open().await.unwrap();
    assert_eq!(other.call("id").await.data(), 6);
}

#[tokio::test]
async fn authenticator_closure_with_state_returns_the_user() {
    let known = std::sync::Arc::new(7_u32);
    let endpoint = portcullis::websocket(Identity).authenticate(move |_: &Parts| {
        let known = known.clone();
        async move { Ok(Some(member(*known, &[]))) }
    });
    assert_eq!(connect(&endpoint).open().await.unwrap().call("id").await.data(), 7);
}

struct Identity;

#[consumer(user = Member)]
impl Identity {
    #[action(permission = AllowAny)]
    async fn id(&self, cx: &Context<'_, Member>) -> Option<u32> {
        cx.user().map(|member| member.id)
    }
}

#[tokio::test]
async fn origin_that_is_not_allowed_is_rejected() {
    let endpoint = portcullis::websocket(Identity);
    let from = |origin: &str| connect(&endpoint).header("host", "chat.example").header("origin", origin).open();
    assert!(from("https://chat.example").await.is_ok());
    assert_eq!(from("https://evil.example").await.unwrap_err().status(), 403);
    assert_eq!(from("null").await.unwrap_err().status(), 403);

    let wide = portcullis::websocket(Identity).allow_origins(["https://app.example"]);
    let from = |origin: &str| connect(&wide).header("host", "chat.example").header("origin", origin).open();
    assert!(from("https://app.example").await.is_ok());
    assert!(from("https://evil.example").await.is_err());

    let any = portcullis::websocket(Identity).allow_any_origin();
    assert!(connect(&any).header("origin", "null").open().await.is_ok());
}

#[tokio::test]
async fn request_to_a_host_that_is_not_listed_is_rejected() {
    let endpoint = portcullis::websocket(Identity).hosts(["chat.example"]).https_only().allow_any_origin();
    assert!(connect(&endpoint).header("host", "chat.example:3000").open().await.is_ok());
    assert_eq!(connect(&endpoint).header("host", "evil.example").open().await.unwrap_err().status(), 403);
    assert_eq!(connect(&endpoint).open().await.unwrap_err().status(), 403);
    let twice = connect(&endpoint).header("host", "chat.example").header("host", "chat.example");
    assert_eq!(twice.open().await.unwrap_err().status(), 403);

    let own_pages = portcullis::websocket(Identity).hosts(["chat.example"]).https_only();
    let from = |origin: &str| connect(&own_pages).header("host", "chat.example").header("origin", origin).open();
    assert!(from("https://chat.example").await.is_ok());
    assert_eq!(from("http://chat.example").await.unwrap_err().status(), 403);
}

struct Hooks {
    log: Mutex<Vec<String>>,
}

#[derive(Clone)]
struct Greeting(String);

#[consumer(user = Member, name = "hooks")]
impl Hooks {
    #[connect]
    async fn on_connect(&self, cx: &ConnectContext<'_, Member>) -> Result<()> {
        tokio::task::yield_now().await;
        let member = cx.user().ok_or_else(Error::denied)?;
        if member.roles.contains(&"broken") {
            return Err(Error::internal("no database"));
        }
        if member.roles.contains(&"unknown") {
            return Err(Error::unauthenticated());
        }
        assert!(!member.roles.contains(&"panics"), "no database");
        if member.roles.contains(&"slow") {
            std::future::pending::<()>().await;
        }
        cx.insert(Greeting(format!("hello {}", member.id)));
        self.log.lock().unwrap().push(format!("connect {}", member.id));
        Ok(())
    }

    #[disconnect]
    async fn on_disconnect(&self, cx: &Disconnect<'_, Member>) {
        let id = cx.user().map_or(0, |member| member.id);
        self.log.lock().unwrap().push(format!("disconnect {id}"));
        DISCONNECTED.notify_one();
    }

    #[action(permission = AllowAny)]
    async fn greeting(&self, cx: &Context<'_, Member>) -> Option<String> {
        cx.scope().extension::<Greeting>().map(|greeting| greeting.0.clone())
    }

    #[action(permission = AllowAny)]
    async fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    #[action(permission = AllowAny)]
    async fn forever(&self) {
        std::future::pending::<()>().await;
    }
}

static DISCONNECTED: tokio::sync::Notify = tokio::sync::Notify::const_new();

#[tokio::test(start_paused = true)]
async fn connection_hooks_run_once_and_close_on_error() {
    let endpoint = portcullis::websocket(Hooks { log: Mutex::default() });
    let mut user = connect(&endpoint).user(member(1, &[])).open().await.unwrap();
    // Messages wait for `#[connect]`.
    assert_eq!(user.call("greeting").await.data(), "hello 1");
    for (roles, code) in [(&["broken"][..], 4500), (&["panics"], 4500), (&["slow"], 4500), (&["unknown"], 4401)] {
        let mut refused = connect(&endpoint).user(member(2, roles)).open().await.unwrap();
        assert_eq!(refused.closed().await, code, "{roles:?}");
    }
    assert_eq!(connect(&endpoint).open().await.unwrap().closed().await, 4403);

    let mut leaving = connect(&endpoint).user(member(3, &[])).open().await.unwrap();
    assert_eq!(leaving.call("greeting").await.data(), "hello 3");
    leaving.send(r#"{"action":"forever"}"#);
    drop(leaving);
    DISCONNECTED.notified().await;
    assert_eq!(user.call("log").await.data(), &serde_json::json!(["connect 1", "connect 3", "disconnect 3"]));
}

#[tokio::test]
async fn scope_keeps_the_request_of_the_handshake() {
    #[derive(serde::Deserialize, serde::Serialize)]
    struct Query {
        token: String,
    }

    struct RequestScope;

    #[consumer(user = Member)]
    impl RequestScope {
        #[action(permission = AllowAny)]
        async fn how(&self, cx: &Context<'_, Member>) -> Result<(String, String, String, Option<u8>)> {
            let scope = cx.scope();
            let agent = scope.header("user-agent")?.unwrap_or_default();
            let Query { token } = scope.query()?;
            Ok((scope.path().to_owned(), agent.to_owned(), token, scope.extension::<u8>().copied()))
        }

        #[action(permission = AllowAny)]
        async fn cookie(&self, cx: &Context<'_, Member>) -> Result<Option<String>> {
            Ok(cx.scope().header("cookie")?.map(str::to_owned))
        }

        #[action(permission = AllowAny)]
        async fn param(&self, cx: &Context<'_, Member>) -> Result<u32> {
            cx.scope().url_param("box_id")
        }
    }

    let endpoint = portcullis::websocket(RequestScope).keep_headers(["user-agent", "X-Other"]);
    let client = connect(&endpoint).path("/ws/a?token=t%20k").header("user-agent", "tests").extension(7_u8);
    let mut client = client.open().await.unwrap();
    assert_eq!(client.call("how").await.data(), &serde_json::json!(["/ws/a", "tests", "t k", 7]));
    assert_eq!(client.call("cookie").await.status(), 500, "a header that is not kept is never absent");
    let mut without = connect(&endpoint).open().await.unwrap();
    assert_eq!(without.call("how").await.code(), "invalid_query");

    let mut with_param = connect(&endpoint).url_param("box_id", 7).open().await.unwrap();
    assert_eq!(with_param.call("param").await.data(), &serde_json::json!(7));
    assert_eq!(without.call("param").await.status(), 500);
}

#[tokio::test]
#[should_panic(expected = "`https://chat.example` is not a host")]
async fn invalid_host_panics_at_start_up() {
    let _ = portcullis::websocket(Identity).hosts(["https://chat.example"]);
}

#[tokio::test]
#[should_panic(expected = "`x office` is not the name of a header")]
async fn invalid_header_name_panics_at_start_up() {
    let _ = portcullis::websocket(Identity).keep_headers(["x-office", "x office"]);
}

#[tokio::test]
async fn request_larger_than_the_limit_is_rejected_with_431() {
    let limits = Limits { max_request_bytes: 100, ..Limits::default() };
    let endpoint = portcullis::websocket(Identity).limits(limits).keep_headers(["x-kept", "x-also"]);
    let open = |path: usize, kept: usize, dropped: usize| {
        let connecting = connect(&endpoint).path(&format!("/{}", "p".repeat(path - 1)));
        connecting.header("x-kept", &"k".repeat(kept)).header("x-dropped", &"d".repeat(dropped)).open()
    };
    for (path, kept) in [(90, 4), (1, 93)] {
        assert!(open(path, kept, 100_000).await.is_ok(), "headers that are not kept do not count");
        for (path, kept) in [(path + 1, kept), (path, kept + 1)] {
            assert_eq!(open(path, kept, 0).await.unwrap_err().status(), 431, "{path} {kept}");
        }
    }
    // The limit is on all values of a header together.
    let connecting = (0..20).fold(connect(&endpoint), |connecting, _| connecting.header("x-also", ""));
    assert_eq!(connecting.open().await.unwrap_err().status(), 431);
}

#[tokio::test]
#[should_panic(expected = "`app.example` is not an origin")]
async fn invalid_origin_panics_at_start_up() {
    let _ = portcullis::websocket(Identity).allow_origins(["https://fine.example", "app.example"]);
}

/// A user whose id panics.
struct PanickingId;

impl portcullis::User for PanickingId {
    fn id(&self) -> std::borrow::Cow<'_, str> {
        panic!("no name")
    }
}

static NAMELESS_DISCONNECTED: tokio::sync::Notify = tokio::sync::Notify::const_new();

struct Fragile;

#[consumer(user = PanickingId)]
impl Fragile {
    #[action(permission = portcullis::DenyAll)]
    async fn nothing(&self) {}

    #[disconnect]
    async fn left(&self) {
        NAMELESS_DISCONNECTED.notify_one();
    }
}

#[tokio::test]
async fn user_whose_id_panics_is_denied_and_disconnected_in_order() {
    let mut client = connect(&portcullis::websocket(Fragile)).user(PanickingId).open().await.unwrap();
    assert_eq!(client.call("nothing").await.status(), 403);
    drop(client);
    NAMELESS_DISCONNECTED.notified().await;
}

struct FragileConnect;

#[consumer(user = PanickingId)]
impl FragileConnect {
    #[connect]
    async fn refuses(&self) -> Result<()> {
        Err(Error::denied())
    }

    #[action(permission = AllowAny)]
    async fn nothing(&self) {}
}

#[tokio::test]
async fn user_whose_id_panics_is_closed_by_a_refusing_connect() {
    let mut client = connect(&portcullis::websocket(FragileConnect)).user(PanickingId).open().await.unwrap();
    assert_eq!(client.closed().await, 4403);
}
