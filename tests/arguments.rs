//! Typed arguments: what reaches an action is what it declares, and what is wrong with a message is told by name.

use std::borrow::Cow;

use portcullis::testing::{Client, connect};
use portcullis::{AllowAny, Str, consumer};
use serde::Deserialize;
use serde_json::{Value, json};

struct Arguments;

#[derive(Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
struct Point {
    x: i32,
    y: i32,
}

#[consumer]
impl Arguments {
    #[action(permission = AllowAny)]
    async fn typed(&self, text: String, count: u8, point: Point, list: Vec<bool>) -> Value {
        json!([text, count, point.x + point.y, list])
    }

    #[action(permission = AllowAny)]
    async fn borrowed(&self, text: Str<'_>, plain: &str, cow: Cow<'_, str>) -> String {
        format!("{text}|{plain}|{cow}")
    }

    #[action(permission = AllowAny)]
    async fn optional(
        &self,
        maybe: Option<u8>,
        #[serde(default)] zero: u8,
        #[serde(rename = "type")] kind: Option<String>,
    ) -> Value {
        json!([maybe, zero, kind])
    }

    #[action(permission = AllowAny, deny_unknown)]
    async fn exact(&self, a: u8) -> u8 {
        a
    }

    #[action(permission = AllowAny, deny_unknown)]
    async fn nothing(&self) {}

    #[action(permission = AllowAny, name = "renamed.action")]
    fn quick(&self, r#type: u8, mut value: u8) -> u8 {
        value += r#type;
        value
    }
}

async fn client() -> Client {
    connect(&portcullis::websocket(Arguments)).open().await.unwrap()
}

#[tokio::test]
async fn arguments_are_typed() {
    let mut client = client().await;
    let call = client.call("typed").with("text", "hi").with("count", 3).with("point", json!({"x": 1, "y": 2}));
    let reply = call.with("list", [true, false]).with("unknown", "ignored").await;
    assert_eq!(reply.data(), &json!(["hi", 3, 3, [true, false]]), "{reply:?}");
    assert_eq!(client.call("renamed.action").with("type", 1).with("value", 2).await.data(), 3);
    assert_eq!(client.call("quick").await.status(), 405);
}

#[tokio::test]
async fn text_is_borrowed_where_it_can_be() {
    let mut client = client().await;
    client.send(r#"{"action":"borrowed","text":"a\nb","plain":"c","cow":"d\u0065"}"#);
    assert_eq!(client.reply().await.data(), "a\nb|c|de");
    // `&str` cannot hold what is written with escapes.
    client.send(r#"{"action":"borrowed","text":"a","plain":"\u0063","cow":"d"}"#);
    assert_eq!(client.reply().await.value()["errors"][0]["field"], "plain");
}

#[tokio::test]
async fn optional_arguments_may_be_missing_or_null() {
    let mut client = client().await;
    assert_eq!(client.call("optional").await.data(), &json!([null, 0, null]));
    let reply = client.call("optional").with("maybe", 1).with("zero", 2).with("type", "t").await;
    assert_eq!(reply.data(), &json!([1, 2, "t"]));
    assert_eq!(client.call("optional").with("maybe", Value::Null).await.data(), &json!([null, 0, null]));
}

#[tokio::test]
async fn what_is_wrong_is_told_by_name() {
    let mut client = client().await;
    let point = json!({"x": 1, "y": 2});
    for (text, count, point, code, field) in [
        (json!("hi"), json!(256), point.clone(), "invalid_argument", "count"),
        (json!("hi"), json!("3"), point.clone(), "invalid_argument", "count"),
        (json!(5), json!(3), point.clone(), "invalid_argument", "text"),
        (json!("hi"), json!(3), json!({"x": 1}), "invalid_argument", "point"),
        (json!("hi"), json!(3), json!({"x": 1, "y": 2, "z": 3}), "invalid_argument", "point"),
        (json!("hi"), json!(3), point, "missing_argument", "list"),
    ] {
        let reply = client.call("typed").with("text", text).with("count", count).with("point", point).await;
        assert_eq!((reply.status(), reply.code()), (400, code), "{reply:?}");
        assert_eq!(reply.value()["errors"][0]["field"], field, "{reply:?}");
        assert!(!reply.text().contains("at line"), "{reply:?}");
    }
}

#[tokio::test]
async fn unknown_keys_are_refused_where_the_action_says_so() {
    let mut client = client().await;
    assert_eq!(client.call("exact").with("a", 1).await.data(), 1);
    for action in ["exact", "nothing"] {
        let reply = client.call(action).with("a", 1).with("b", 1).await;
        let field = if action == "exact" { "b" } else { "a" };
        assert_eq!((reply.status(), reply.code()), (400, "unknown_argument"), "{reply:?}");
        assert_eq!(reply.value()["errors"][0]["field"], field);
    }
    assert_eq!(client.call("nothing").await.status(), 200);
}
