//! Typed arguments: deserialization, borrowed text, optional arguments, and errors that name the field.

use std::borrow::Cow;

use portcullis::testing::{Client, connect};
use portcullis::{AllowAny, Context, Error, Handler, Permission, PermissionContext, Result, Str, User, consumer};
use serde::Deserialize;
use serde_json::{Value, json};

struct Arguments;

/// An alias: the macro cannot see the `&str` in it, so the type must work without being recognized.
type Text<'a> = &'a str;

struct Member(String);

impl User for Member {
    fn id(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.0)
    }
}

/// Holds if the message has a text.
struct Named;

impl<H: Handler> Permission<H> for Named {
    async fn has_permission(&self, _: &H, cx: &PermissionContext<'_, H::User>) -> Result<bool> {
        Ok(!cx.argument::<&str>("text")?.is_empty())
    }
}

/// Holds if the message has none.
struct Unnamed;

impl<H: Handler> Permission<H> for Unnamed {
    async fn has_permission(&self, _: &H, cx: &PermissionContext<'_, H::User>) -> Result<bool> {
        Ok(cx.argument::<Option<&str>>("text")?.is_none())
    }
}

#[derive(Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
struct Point {
    x: i32,
    y: i32,
}

#[consumer(user = Member)]
impl Arguments {
    #[authenticate]
    async fn renew(&self, token: &str, realm: Option<&str>) -> Result<Option<Member>> {
        tokio::task::yield_now().await;
        match token {
            "" => Err(Error::bad_request("No token.")),
            token => Ok(Some(Member(format!("{token}|{}", realm.unwrap_or("none"))))),
        }
    }

    #[action(permission = AllowAny)]
    fn who(&self, cx: &Context<'_, Member>) -> Option<String> {
        cx.user().map(|member| member.0.clone())
    }

    #[action(permission = AllowAny)]
    async fn typed(&self, text: String, count: u8, point: Point, list: Vec<bool>) -> Value {
        json!([text, count, point.x + point.y, list])
    }

    #[action(permission = AllowAny)]
    async fn borrowed(&self, text: Str<'_>, plain: &str, cow: Cow<'_, str>) -> String {
        format!("{text}|{plain}|{cow}")
    }

    #[action(permission = AllowAny)]
    async fn text(
        &self,
        text: &str,
        maybe: Option<&str>,
        #[serde(default)] rest: &str,
        #[serde(rename = "as", alias = "like")] renamed: Option<Text<'_>>,
    ) -> Value {
        json!([text, maybe, rest, renamed])
    }

    #[action(permission = "Named & !Unnamed")]
    async fn checked(&self, text: &str, note: &str) -> String {
        tokio::task::yield_now().await;
        format!("{text}|{note}")
    }

    #[action(permission = AllowAny, blocking)]
    fn blocking(&self, text: &str) -> usize {
        text.chars().count()
    }

    #[action(permission = AllowAny)]
    async fn list(&self, list: Vec<Str<'_>>) -> String {
        list.iter().map(|text| &**text).collect()
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
async fn action_arguments_are_deserialized_into_their_types() {
    let mut client = client().await;
    let call = client.call("typed").with("text", "hi").with("count", 3).with("point", json!({"x": 1, "y": 2}));
    let reply = call.with("list", [true, false]).with("unknown", "ignored").await;
    assert_eq!(reply.data(), &json!(["hi", 3, 3, [true, false]]), "{reply:?}");
    assert_eq!(client.call("renamed.action").with("type", 1).with("value", 2).await.data(), 3);
    assert_eq!(client.call("quick").await.status(), 405);
}

#[tokio::test]
async fn text_argument_with_and_without_escapes_is_borrowed_or_decoded() {
    let mut client = client().await;
    client.send(r#"{"action":"borrowed","text":"a\nb","plain":"c","cow":"d\u0065"}"#);
    assert_eq!(client.reply().await.data(), "a\nb|c|de");
}

/// JSON strings as a client may write them, and their decoded text.
const STRINGS: [(&str, &str); 11] = [
    (r#""""#, ""),
    (r#""plain""#, "plain"),
    (r#""a \"q\"""#, "a \"q\""),
    (r#""\\ \/ \b\f\n\r\t""#, "\\ / \u{8}\u{c}\n\r\t"),
    (r#""\u00e9""#, "\u{e9}"),
    ("\"\u{e9}\"", "\u{e9}"),
    (r#""\ud83d\ude00""#, "\u{1f600}"),
    ("\"\u{1f600}\"", "\u{1f600}"),
    (r#""x\u0000y""#, "x\0y"),
    ("\"\u{e9}\\n\u{1f600}\"", "\u{e9}\n\u{1f600}"),
    (r#""null\n""#, "null\n"),
];

#[tokio::test]
async fn borrowed_text_argument_accepts_every_json_string() {
    let mut client = client().await;
    for (json, text) in STRINGS {
        client.send(format!(r#"{{"action":"text","text":{json},"maybe":{json},"rest":{json},"as":{json}}}"#));
        let reply = client.reply().await;
        assert_eq!((reply.status(), reply.data()), (200, &json!([text, text, text, text])), "{json}");
        client.send(format!(r#"{{"like":{json},"text":{json},"action":"text"}}"#));
        let reply = client.reply().await;
        assert_eq!((reply.status(), reply.data()), (200, &json!([text, null, "", text])), "{json}");
        client.send(format!(r#"{{"action":"list","list":[{json},{json}]}}"#));
        assert_eq!(client.reply().await.data(), &json!(format!("{text}{text}")), "{json}");
        client.send(format!(r#"{{"action":"blocking","text":{json}}}"#));
        assert_eq!(client.reply().await.data(), text.chars().count(), "{json}");
    }
    let reply = client.call("text").with("text", "a").with("maybe", Value::Null).await;
    assert_eq!(reply.data(), &json!(["a", null, "", null]));
}

#[tokio::test]
async fn borrowed_text_argument_that_is_no_string_is_rejected() {
    let mut client = client().await;
    for json in [r#""\ud83d""#, r#""\ude00\ud83d""#, "7", "null", "true", r#"["a\n"]"#, r#"{"a":"\n"}"#] {
        client.send(format!(r#"{{"action":"text","text":{json}}}"#));
        let reply = client.reply().await;
        assert_eq!((reply.status(), reply.code()), (400, "invalid_argument"), "{json}");
        assert_eq!(reply.value()["errors"][0]["field"], "text");
    }
    assert_eq!(client.call("text").await.code(), "missing_argument");
}

#[tokio::test]
async fn permission_argument_with_escapes_is_decoded() {
    let mut client = client().await;
    for (json, text) in STRINGS {
        client.send(format!(r#"{{"action":"checked","text":{json},"note":{json}}}"#));
        let reply = client.reply().await;
        if text.is_empty() {
            assert_eq!(reply.status(), 403);
        } else {
            assert_eq!((reply.status(), reply.data()), (200, &json!(format!("{text}|{text}"))), "{json}");
        }
    }
}

#[tokio::test]
async fn authenticate_argument_with_escapes_is_decoded() {
    for (json, text) in STRINGS.iter().skip(1) {
        let mut client = client().await;
        client.send(format!(r#"{{"action":"authenticate","token":{json},"realm":{json}}}"#));
        let reply = client.reply().await;
        assert_eq!(reply.status(), 204, "{json}: {reply:?}");
        assert_eq!(client.call("who").await.data(), &json!(format!("{text}|{text}")), "{json}");
    }
}

#[tokio::test]
async fn optional_argument_that_is_missing_or_null_gets_its_default() {
    let mut client = client().await;
    assert_eq!(client.call("optional").await.data(), &json!([null, 0, null]));
    let reply = client.call("optional").with("maybe", 1).with("zero", 2).with("type", "t").await;
    assert_eq!(reply.data(), &json!([1, 2, "t"]));
    assert_eq!(client.call("optional").with("maybe", Value::Null).await.data(), &json!([null, 0, null]));
}

#[tokio::test]
async fn invalid_argument_is_rejected_with_its_field() {
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
        assert!(!reply.text().contains("at line") && !reply.text().contains("Point"), "{reply:?}");
    }
    let reply = client.call("typed").with("text", "x").with("count", "9".repeat(50_000)).await;
    assert!(reply.status() == 400 && reply.text().len() < 500, "{}", reply.text().len());
}

#[tokio::test]
async fn unknown_key_is_rejected_by_a_deny_unknown_action() {
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
