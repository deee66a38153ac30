//! Permissions of messages: layers, operators, errors and panics, and what a denied client learns.

use std::sync::{Arc, Mutex};

use portcullis::testing::{Client, connect};
use portcullis::{
    AllowAny, Context, DenyAll, Endpoint, Handler, IsAuthenticated, Permission, PermissionContext, Result, consumer,
    handler,
};

use crate::common::{EvaluationLog, HasRole, Member, Scripted, member};

type Log = Arc<Mutex<Vec<&'static str>>>;

struct Outer {
    inner: Inner,
    log: Log,
}

struct Inner {
    log: Log,
}

impl EvaluationLog for Outer {
    fn evaluated(&self) -> &Mutex<Vec<&'static str>> {
        &self.log
    }
}

impl EvaluationLog for Inner {
    fn evaluated(&self) -> &Mutex<Vec<&'static str>> {
        &self.log
    }
}

#[consumer(user = Member, permission = "Scripted(\"consumer\")")]
impl Outer {
    #[action]
    async fn plain(&self) -> &'static str {
        self.log.lock().unwrap().push("ran");
        "done"
    }

    #[action(permission = Scripted("a") & !Scripted("b"))]
    async fn narrowed(&self) {}

    #[action(permission = "(Scripted(\"a\") | Scripted(\"b\")) & (Scripted(\"b\") | Scripted(\"c\"))")]
    async fn repeated(&self) {}

    #[action(permission = "Scripted(\"a\") | Scripted(\"b\")")]
    async fn either(&self) {}

    #[action(permission = !Scripted("a"))]
    async fn unless(&self) {}

    #[action(permission = HasRole("admin"))]
    async fn administer(&self) {}

    #[action(permission = DenyAll)]
    async fn nobody(&self) {}

    #[route("inner/{id}/", permission = "Scripted(\"route\")")]
    fn inner(&self) -> &Inner {
        &self.inner
    }
}

#[handler(user = Member, permission = "Scripted(\"handler\")")]
impl Inner {
    #[action(permission = "Scripted(\"action\")")]
    async fn act(&self) {
        self.log.lock().unwrap().push("ran");
    }

    #[action(permission = IsSeven({id}))]
    async fn numbered(&self) {}
}

/// Holds for the number 7.
struct IsSeven(u32);

impl<H: Handler> Permission<H> for IsSeven {
    async fn has_permission(&self, _: &H, _: &PermissionContext<'_, H::User>) -> Result<bool> {
        Ok(self.0 == 7)
    }
}

fn outer() -> (Endpoint<Outer>, Log) {
    let log = Log::default();
    (portcullis::websocket(Outer { inner: Inner { log: log.clone() }, log: log.clone() }), log)
}

/// Calls an action as a member with these roles; returns the status and the evaluated leaves.
async fn call(roles: &[&'static str], route: &str, action: &str) -> (u16, Vec<&'static str>) {
    let (endpoint, log) = outer();
    let mut client = connect(&endpoint).user(member(1, roles)).open().await.unwrap();
    let status = client.call(action).route(route).await.status();
    let evaluated = std::mem::take(&mut *log.lock().unwrap());
    (status, evaluated)
}

#[tokio::test]
async fn permission_layers_are_evaluated_outermost_first_until_one_denies() {
    let all = ["consumer:yes", "route:yes", "handler:yes", "action:yes"];
    let names = ["consumer", "route", "handler", "action"];
    for passed in 0..4 {
        let (status, evaluated) = call(&all[..passed], "inner/7/", "act").await;
        assert_eq!((status, evaluated.as_slice()), (403, &names[..=passed]));
    }
    let (status, evaluated) = call(&all, "inner/7/", "act").await;
    assert_eq!((status, evaluated), (200, vec!["consumer", "route", "handler", "action", "ran"]));
}

#[tokio::test]
async fn action_permission_narrows_the_permission_of_its_block() {
    assert_eq!(call(&["a:yes"], "", "narrowed").await, (403, vec!["consumer"]));
    assert_eq!(call(&["consumer:yes", "a:yes"], "", "narrowed").await, (200, vec!["consumer", "a", "b"]));
    assert_eq!(call(&["consumer:yes", "a:yes", "b:yes"], "", "narrowed").await, (403, vec!["consumer", "a", "b"]));
    assert_eq!(call(&["consumer:yes"], "", "narrowed").await, (403, vec!["consumer", "a"]));
    assert_eq!(call(&["consumer:yes"], "", "plain").await, (200, vec!["consumer", "ran"]));
}

#[tokio::test]
async fn leaf_is_evaluated_at_most_once_per_expression() {
    assert_eq!(call(&["consumer:yes", "b:yes"], "", "repeated").await, (200, vec!["consumer", "a", "b"]));
    assert_eq!(call(&["consumer:yes", "a:yes", "c:yes"], "", "repeated").await, (200, vec!["consumer", "a", "b", "c"]));
    assert_eq!(call(&["consumer:yes", "a:yes", "b:yes"], "", "repeated").await, (200, vec!["consumer", "a", "b"]));
    assert_eq!(call(&["consumer:yes"], "", "repeated").await, (403, vec!["consumer", "a", "b"]));
}

#[tokio::test]
async fn leaf_that_fails_or_panics_never_grants() {
    for (roles, action, wanted) in [
        (&["consumer:yes", "a:err", "b:yes"][..], "either", (500, vec!["consumer", "a"])),
        (&["consumer:yes", "a:401", "b:yes"], "either", (401, vec!["consumer", "a"])),
        (&["consumer:yes", "a:panic", "b:yes"], "either", (500, vec!["consumer", "a"])),
        (&["consumer:yes", "a:err"], "unless", (500, vec!["consumer", "a"])),
        (&["consumer:yes", "a:401"], "unless", (401, vec!["consumer", "a"])),
        (&["consumer:yes", "a:panic"], "unless", (500, vec!["consumer", "a"])),
        (&["consumer:err"], "plain", (500, vec!["consumer"])),
        (&["consumer:panic"], "plain", (500, vec!["consumer"])),
    ] {
        assert_eq!(call(roles, "", action).await, wanted, "{roles:?} {action}");
    }
}

#[tokio::test]
async fn built_in_permissions_and_leaves_with_arguments_are_evaluated() {
    assert_eq!(call(&["consumer:yes", "admin"], "", "administer").await.0, 200);
    assert_eq!(call(&["consumer:yes", "user"], "", "administer").await.0, 403);
    assert_eq!(call(&["consumer:yes"], "", "nobody").await.0, 403);
}

#[tokio::test]
async fn denied_client_learns_nothing_about_routes_and_actions() {
    let (endpoint, _) = outer();
    let mut client = connect(&endpoint).user(member(1, &["consumer:yes"])).open().await.unwrap();
    let mut refusal = async |route: &str, action: &str| {
        let reply = client.call(action).route(route).await;
        assert_eq!(reply.status(), 403, "{route} {action}");
        (reply.value()["errors"].clone(), reply.data().clone())
    };
    let known = refusal("inner/7/", "act").await;
    for (route, action) in [("inner/7/", "bogus"), ("inner/7/deeper/still", "act"), ("inner/7/deeper", "bogus")] {
        assert_eq!(refusal(route, action).await, known);
    }
    assert_eq!(known.0.to_string(), r#"[{"code":"permission_denied","detail":"Permission denied."}]"#);
    // What the consumer permission allows is answered precisely.
    assert_eq!(client.call("bogus").await.status(), 405);
    assert_eq!(client.call("act").route("bogus/").await.status(), 404);
}

#[tokio::test]
async fn internal_error_reveals_only_its_id() {
    let (endpoint, _) = outer();
    let mut client = connect(&endpoint).user(member(1, &["consumer:panic"])).open().await.unwrap();
    let first = client.call("plain").await;
    assert!(!first.text().contains("secret"), "{first:?}");
    assert_eq!(first.code(), "internal_error");
    let id = first.value()["errors"][0]["id"].as_str().unwrap();
    assert_eq!(id.len(), 16);
    assert_ne!(client.call("plain").await.value()["errors"][0]["id"], id);
}

#[tokio::test]
async fn capture_is_an_argument_of_the_leaf() {
    let roles = ["consumer:yes", "route:yes", "handler:yes"];
    assert_eq!(call(&roles, "inner/7/", "numbered").await.0, 200);
    assert_eq!(call(&roles, "inner/8/", "numbered").await.0, 403);
    assert_eq!(call(&roles, "inner/x/", "numbered").await.0, 404);
    assert_eq!(call(&roles[..2], "inner/x/", "numbered").await.0, 403);
}

struct Open;

#[consumer(user = Member)]
impl Open {
    #[action(permission = AllowAny)]
    async fn hello(&self) -> &'static str {
        "hello"
    }

    #[action(permission = IsAuthenticated)]
    async fn whoami(&self, cx: &Context<'_, Member>) -> Result<u32> {
        Ok(cx.require_user()?.id)
    }
}

#[tokio::test]
async fn anonymous_connection_can_call_public_actions() {
    let endpoint = portcullis::websocket(Open);
    let mut guest: Client = connect(&endpoint).open().await.unwrap();
    assert_eq!(guest.call("hello").await.data(), "hello");
    assert_eq!(guest.call("whoami").await.status(), 403);
    let mut user = connect(&endpoint).user(member(9, &[])).open().await.unwrap();
    assert_eq!(user.call("whoami").await.data(), 9);
}
