//! `cancel` is a built-in only where the endpoint allows it.

use portcullis::testing::connect;
use portcullis::{AllowAny, consumer, handler, websocket};

use super::{Foundry, foundry};
use crate::common::progress::Progress;

/// Has an action of that name.
struct Orders(Shelf);

struct Shelf;

#[consumer]
impl Orders {
    #[route("shelf/")]
    fn shelf(&self) -> &Shelf {
        &self.0
    }

    #[action(permission = AllowAny)]
    async fn cancel(&self, target: u32) -> String {
        format!("order {target}")
    }
}

#[handler(permission = AllowAny)]
impl Shelf {
    #[action]
    async fn cancel(&self) -> &'static str {
        "shelf"
    }
}

/// Has one under a route only.
struct Stores(Shelf);

#[consumer]
impl Stores {
    #[route("shelf/", permission = AllowAny)]
    fn shelf(&self) -> &Shelf {
        &self.0
    }
}

#[tokio::test]
async fn cancel_is_an_unknown_action_unless_it_is_allowed() {
    let endpoint = websocket(Foundry(Progress::new()));
    let mut client = connect(&endpoint).open().await.unwrap();
    assert_eq!(client.call("cancel").with("target", 1).await.status(), 405);
}

#[tokio::test]
async fn action_named_cancel_is_called_while_the_built_in_is_off() {
    let mut client = connect(&websocket(Orders(Shelf))).open().await.unwrap();
    assert_eq!(client.call("cancel").with("target", 7).await.data(), "order 7");
}

#[tokio::test]
async fn action_named_cancel_under_a_route_is_called_while_the_built_in_is_on() {
    let mut client = connect(&websocket(Stores(Shelf)).allow_cancel()).open().await.unwrap();
    client.send(r#"{"action":"cancel","route":"shelf/"}"#);
    assert_eq!(client.reply().await.data(), "shelf");
    assert_eq!(client.call("cancel").with("target", 7).await.status(), 204);
}

#[test]
#[should_panic = "`Orders` has an action `cancel`, which the built-in `cancel` would hide; rename the action, or remove \
                  `.allow_cancel()`"]
fn action_named_cancel_is_refused_at_start_while_the_built_in_is_on() {
    let _ = websocket(Orders(Shelf)).allow_cancel().into_route::<()>();
}

#[tokio::test]
async fn clone_of_an_endpoint_allows_cancel_too() {
    let (_, foundry) = foundry();
    let mut client = connect(&foundry.clone()).open().await.unwrap();
    assert_eq!(client.call("cancel").with("target", 1).await.status(), 204);
}
