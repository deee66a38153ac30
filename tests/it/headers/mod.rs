//! Headers of the handshake's request that permissions declare: the endpoint keeps them wherever the permission stands, and
//! reading any other one is a fault.

mod http_rules;

use portcullis::testing::{Client, connect};
use portcullis::{
    Blocking, BlockingPermission, Consumer, Context, Event, EventPermission, Group, GroupPermission, Handler, Load,
    Object, ObjectPermission, Permission, PermissionContext, Result, Rule, Scope, consumer, handler,
};

use crate::common::{Member, member};

/// Holds unless a header has the value `no`. One type per place, so that each header is declared in that place alone.
macro_rules! declare_permissions {
    ($($name:ident: $header:literal),+) => { $(
        struct $name;

        impl<H: Handler<User = Member>> Permission<H> for $name {
            const HEADERS: &'static [&'static str] = &[$header];

            async fn has_permission(&self, _: &H, cx: &PermissionContext<'_, Member>) -> Result<bool> {
                allows(cx.scope(), $header)
            }
        }
    )+ };
}

fn allows(scope: &Scope<Member>, header: &str) -> Result<bool> {
    Ok(scope.header(header)? != Some("no"))
}

declare_permissions! {
    ConnectHeader: "x-connect", BlockHeader: "x-block", ActionHeader: "x-action", RouteHeader: "x-route", HandlerHeader: "x-handler",
    InnerActionHeader: "x-inner-action"
}

/// The blocking pool, declared by the wrapped type.
struct PoolHeader;

impl<H: Handler<User = Member>> BlockingPermission<H> for PoolHeader {
    const HEADERS: &'static [&'static str] = &["x-pool"];

    fn check(
        &self,
        _: &H,
        cx: &PermissionContext<'_, Member>,
    ) -> Result<impl FnOnce() -> Result<bool> + Send + 'static> {
        let allows = allows(cx.scope(), "x-pool")?;
        Ok(move || Ok(allows))
    }
}

/// A rule stands in the expressions of actions, groups and events.
struct RuleHeader;

impl<H: Handler<User = Member>> Rule<H> for RuleHeader {
    const HEADERS: &'static [&'static str] = &["x-rule"];

    async fn holds(&self, _: &H, scope: &Scope<Member>) -> Result<bool> {
        allows(scope, "x-rule")
    }
}

struct EventHeader;

impl<E, C: Consumer + Handler<User = Member>> EventPermission<E, C> for EventHeader {
    const HEADERS: &'static [&'static str] = &["x-event"];

    fn may_see(&self, _: &C, scope: &Scope<Member>, _: &E) -> bool {
        allows(scope, "x-event").unwrap()
    }
}

/// The permission of a group, or its `publish` expression.
struct GroupHeader;
struct PublishHeader;

impl<G: Sync, C: Consumer + Handler<User = Member>> GroupPermission<G, C> for GroupHeader {
    const HEADERS: &'static [&'static str] = &["x-group"];

    async fn may_join(&self, _: &C, scope: &Scope<Member>, _: &G) -> Result<bool> {
        allows(scope, "x-group")
    }
}

impl<G: Sync, C: Consumer + Handler<User = Member>> GroupPermission<G, C> for PublishHeader {
    const HEADERS: &'static [&'static str] = &["x-publish"];

    async fn may_join(&self, _: &C, scope: &Scope<Member>, _: &G) -> Result<bool> {
        allows(scope, "x-publish")
    }
}

struct Document;

impl Load<Drawer> for Document {
    type Key = u32;
    const CAPTURES: &'static [&'static str] = &[];

    async fn load(_: &Drawer, _: &Context<'_, Member>, _: &u32) -> Result<Option<Document>> {
        Ok(Some(Document))
    }
}

struct DocumentHeader;

impl ObjectPermission<Document, Drawer> for DocumentHeader {
    const HEADERS: &'static [&'static str] = &["x-document"];

    async fn has_object_permission(
        &self,
        _: &Drawer,
        cx: &PermissionContext<'_, Member>,
        _: &Document,
    ) -> Result<bool> {
        allows(cx.scope(), "x-document")
    }
}

struct Cabinet {
    drawer: Drawer,
}

struct Drawer;

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Cabinet, permission = "GroupHeader & RuleHeader", publish = PublishHeader, events(Filed))]
struct Shelf;

#[derive(Event)]
struct Filed(u32);

/// Every header that a permission of [`Cabinet`] declares.
const DECLARED: [&str; 12] = [
    "x-connect",
    "x-block",
    "x-action",
    "x-route",
    "x-handler",
    "x-inner-action",
    "x-pool",
    "x-rule",
    "x-event",
    "x-group",
    "x-publish",
    "x-document",
];

#[consumer(user = Member, connect = ConnectHeader, permission = BlockHeader)]
impl Cabinet {
    #[action(permission = ActionHeader)]
    async fn open(&self) {}

    #[action(permission = Blocking(PoolHeader))]
    async fn count(&self) {}

    #[action(permission = RuleHeader)]
    async fn inspect(&self) {}

    #[action]
    async fn join(&self, cx: &Context<'_, Member>) -> Result<()> {
        cx.join(Shelf).await
    }

    #[action]
    async fn file(&self, cx: &Context<'_, Member>, number: u32) -> Result<()> {
        cx.publish(Shelf, Filed(number)).await
    }

    /// Returns the headers that the connection keeps.
    #[action]
    async fn kept(&self, cx: &Context<'_, Member>) -> Vec<&'static str> {
        DECLARED.into_iter().chain(["cookie"]).filter(|name| cx.scope().header(name).is_ok()).collect()
    }

    #[route("drawer/", permission = RouteHeader)]
    fn drawer(&self) -> &Drawer {
        &self.drawer
    }

    #[event(permission = "EventHeader & RuleHeader")]
    fn filed(event: &Filed) -> &u32 {
        &event.0
    }
}

#[handler(user = Member, permission = HandlerHeader)]
impl Drawer {
    #[action(permission = InnerActionHeader)]
    async fn look(&self) {}

    #[action(permission = DocumentHeader(document))]
    async fn read(&self, document: Object<Document>) {
        let _ = document;
    }
}

/// Connects with these headers set to `no`.
async fn open(headers: &[&str]) -> std::result::Result<Client, u16> {
    let endpoint = portcullis::websocket(Cabinet { drawer: Drawer });
    let mut connecting = connect(&endpoint).user(member(1, &[]));
    for header in headers {
        connecting = connecting.header(header, "no");
    }
    connecting.open().await.map_err(portcullis::testing::Rejected::status)
}

#[tokio::test]
async fn declared_headers_of_every_place_are_kept_and_no_others() {
    let mut client = open(&["cookie"]).await.unwrap();
    assert_eq!(*client.call("kept").await.data(), serde_json::json!(DECLARED));
}

#[tokio::test]
async fn declared_header_decides_in_every_place() {
    assert_eq!(open(&["x-connect"]).await.err(), Some(403));
    let calls = [("", "open"), ("", "count"), ("", "inspect"), ("drawer/", "look"), ("drawer/", "read"), ("", "join")];
    for (header, refused) in [
        ("x-other", &[][..]),
        ("x-block", &["open", "count", "inspect", "look", "read", "join"]),
        ("x-action", &["open"]),
        ("x-pool", &["count"]),
        ("x-rule", &["inspect", "join"]),
        ("x-route", &["look", "read"]),
        ("x-handler", &["look", "read"]),
        ("x-inner-action", &["look"]),
        ("x-document", &["read"]),
        ("x-group", &["join"]),
    ] {
        let mut client = open(&[header]).await.unwrap();
        for (route, action) in calls {
            let expected = if refused.contains(&action) { 403 } else { 200 };
            let reply = client.call(action).route(route).with("document", 1).await;
            assert_eq!(reply.status(), expected, "{header}: {action}");
        }
    }
    for (header, status, is_seen) in [("x-other", 200, true), ("x-publish", 403, false), ("x-event", 200, false)] {
        let mut client = open(&[header]).await.unwrap();
        assert_eq!(client.call("join").await.status(), 200);
        assert_eq!(client.call("file").with("number", 5).await.status(), status, "{header}");
        if is_seen {
            assert_eq!(*client.event().await.data(), 5);
        }
        client.expect_silence().await;
    }
}

struct Misnamed;

struct BadName;

impl Permission<Misnamed> for BadName {
    const HEADERS: &'static [&'static str] = &["not a name"];

    async fn has_permission(&self, _: &Misnamed, _: &PermissionContext<'_, ()>) -> Result<bool> {
        Ok(true)
    }
}

#[consumer]
impl Misnamed {
    #[action(permission = BadName)]
    async fn ping(&self) {}
}

#[test]
#[should_panic(expected = "`not a name` is not the name of a header")]
fn endpoint_whose_permission_declares_an_invalid_name_fails_at_start() {
    let _ = portcullis::websocket(Misnamed);
}
