//! Leaves in generic blocks: whatever type parameters leaf and block have, what the leaf declares replaces the defaults. A
//! default of `can_connect` in its place would accept connections that the leaf refuses.

use std::marker::PhantomData;

use portcullis::testing::connect;
use portcullis::{
    AllowAny, Blocking, BlockingPermission, ConnectContext, Consumer, Context, Endpoint, Handler, Load, Object,
    ObjectPermission, Permission, PermissionContext, Result, Rule, Scope, User, consumer,
};

use crate::common::{Member, member};

/// What the blocks are generic over.
trait Policy: Send + Sync + 'static {
    type User: User;
}

struct Members;

impl Policy for Members {
    type User = Member;
}

/// Implements a permission that permits every message and refuses every connection.
macro_rules! refuse_connections {
    (impl<$($parameter:ident: $bound:path),+> for $leaf:ty) => {
        impl<$($parameter: $bound),+> Permission<H> for $leaf {
            async fn has_permission(&self, _: &H, _: &PermissionContext<'_, H::User>) -> Result<bool> {
                Ok(true)
            }

            async fn can_connect(&self, _: &H, _: &ConnectContext<'_, H::User>) -> Result<Option<bool>> {
                Ok(Some(false))
            }
        }
    };
}

struct Closed;
use Closed as Renamed;
type Aliased = Closed;

struct Named(#[expect(dead_code, reason = "an argument")] &'static str);

struct ForPolicy<P>(PhantomData<P>);

/// For handlers of one user type only.
struct ForUser<U>(PhantomData<U>);

refuse_connections!(impl<H: Handler> for Closed);
refuse_connections!(impl<H: Handler> for Named);
refuse_connections!(impl<P: Policy, H: UserOf<P>> for ForPolicy<P>);
refuse_connections!(impl<U: User, H: HasUser<U>> for ForUser<U>);

trait UserOf<P: Policy>: Handler<User = P::User> {}
impl<P: Policy, H: Handler<User = P::User>> UserOf<P> for H {}

trait HasUser<U: User>: Handler<User = U> {}
impl<U: User, H: Handler<User = U>> HasUser<U> for H {}

/// Has items of its own with the names of those that a leaf may leave out.
struct Shadowed;

#[expect(dead_code, reason = "generated code must not read them")]
impl Shadowed {
    const REEVALUATE: bool = true;
    const HEADERS: &'static [&'static str] = &[];

    async fn can_connect<H, X>(&self, _: &H, _: &X) -> Result<Option<bool>> {
        Ok(None)
    }
}

refuse_connections!(impl<H: Handler> for Shadowed);

/// Permits everything.
struct Open;

impl<H: Handler> Permission<H> for Open {
    async fn has_permission(&self, _: &H, _: &PermissionContext<'_, H::User>) -> Result<bool> {
        Ok(true)
    }
}

async fn assert_refused<C: Consumer<User = Member>>(endpoint: Endpoint<C>, permission: &str) {
    let refused = connect(&endpoint).user(member(1, &[])).open().await;
    assert_eq!(refused.unwrap_err().status(), 403, "{permission}");
}

/// Tests that consumers with the permission, as that of the block and as their connect expression, refuse connections.
macro_rules! test_connections {
    ($($test:ident: $block:ident, $strict:ident of $user:ty = $permission:literal;)+) => { $(
        struct $block<P>(PhantomData<P>);

        #[consumer(user = $user, permission = $permission)]
        impl<P: Policy<User = Member>> $block<P> {
            #[action]
            async fn ping(&self) {}
        }

        struct $strict<P>(PhantomData<P>);

        #[consumer(user = $user, connect = $permission)]
        impl<P: Policy<User = Member>> $strict<P> {
            #[action(permission = AllowAny)]
            async fn ping(&self) {}
        }

        #[tokio::test]
        async fn $test() {
            assert_refused(portcullis::websocket($block::<Members>(PhantomData)), $permission).await;
            assert_refused(portcullis::websocket($strict::<Members>(PhantomData)), $permission).await;
        }
    )+ };
}

test_connections! {
    leaf_without_parameters_refuses_connections: GenericBlock1, GenericStrict1 of Member = "Closed";
    renamed_leaf_refuses_connections: GenericBlock2, GenericStrict2 of P::User = "Renamed";
    aliased_leaf_refuses_connections: GenericBlock3, GenericStrict3 of P::User = "Aliased & Open";
    leaf_with_an_argument_refuses_connections: GenericBlock4, GenericStrict4 of Member = "Named(\"x\")";
    leaf_of_the_parameter_refuses_connections: GenericBlock5, GenericStrict5 of P::User = "ForPolicy<P>(PhantomData)";
    leaf_of_the_user_refuses_connections: GenericBlock6, GenericStrict6 of P::User = "Open & ForUser<P::User>(PhantomData)";
    leaf_of_an_equal_user_refuses_connections: GenericBlock7, GenericStrict7 of P::User = "ForUser<Member>(PhantomData)";
    leaf_with_items_of_the_same_names_refuses_connections: GenericBlock8, GenericStrict8 of Member = "Shadowed";
}

/// One kind of leaf each, with a header of its own.
struct OnPool<P>(PhantomData<P>);
struct OnObject<P>(PhantomData<P>);
struct ByRule<P>(PhantomData<P>);

impl<P: Policy, H: Handler<User = P::User>> BlockingPermission<H> for OnPool<P> {
    const HEADERS: &'static [&'static str] = &["x-pool"];

    fn check(
        &self,
        _: &H,
        cx: &PermissionContext<'_, P::User>,
    ) -> Result<impl FnOnce() -> Result<bool> + Send + 'static> {
        let is_permitted = cx.scope().header("x-pool")? == Some("yes");
        Ok(move || Ok(is_permitted))
    }
}

impl<P: Policy, H: Handler<User = P::User>> ObjectPermission<Document, H> for OnObject<P> {
    const HEADERS: &'static [&'static str] = &["x-object"];

    async fn has_object_permission(&self, _: &H, cx: &PermissionContext<'_, P::User>, _: &Document) -> Result<bool> {
        Ok(cx.scope().header("x-object")? == Some("yes"))
    }
}

impl<P: Policy, H: Handler<User = P::User>> Rule<H> for ByRule<P> {
    const HEADERS: &'static [&'static str] = &["x-rule"];

    async fn holds(&self, _: &H, scope: &Scope<P::User>) -> Result<bool> {
        Ok(scope.header("x-rule")? == Some("yes"))
    }
}

struct Document;

impl<P: Policy> Load<GenericArchive<P>> for Document {
    type Key = u32;
    const CAPTURES: &'static [&'static str] = &[];

    async fn load(_: &GenericArchive<P>, _: &Context<'_, P::User>, _: &u32) -> Result<Option<Document>> {
        Ok(Some(Document))
    }
}

struct GenericArchive<P>(PhantomData<P>);

#[consumer(user = P::User)]
impl<P: Policy> GenericArchive<P> {
    #[action(permission = "Blocking(OnPool::<P>(PhantomData))")]
    async fn pool(&self) {}

    #[action(permission = "OnObject<P>(document, PhantomData)")]
    async fn object(&self, document: Object<Document>) {
        let Document = *document;
    }

    #[action(permission = "ByRule<P>(PhantomData)")]
    async fn rule(&self) {}
}

#[tokio::test]
async fn headers_of_every_kind_of_leaf_are_kept() {
    let archive = portcullis::websocket(GenericArchive::<Members>(PhantomData));
    for (value, status) in [("yes", 200), ("no", 403)] {
        let mut handshake = connect(&archive).user(member(1, &[]));
        for header in ["x-pool", "x-object", "x-rule"] {
            handshake = handshake.header(header, value);
        }
        let mut client = handshake.open().await.unwrap();
        for action in ["pool", "object", "rule"] {
            assert_eq!(client.call(action).with("document", 1).await.status(), status, "{action}");
        }
    }
}
