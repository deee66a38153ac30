//! Replies in the native dialect, byte for byte, and an error reply for everything that a client can get wrong.

use std::collections::HashMap;
use std::time::Duration;

use portcullis::testing::{Client, connect};
use portcullis::{AllowAny, Created, Error, IntoReply, NoContent, NoReply, Reply, Result, StatusCode, consumer};
use serde::Serialize;

struct Replies;

#[derive(Serialize)]
struct Row {
    id: u8,
}

#[derive(Debug)]
enum AppError {
    Full,
    Database,
}

impl From<AppError> for Error {
    fn from(error: AppError) -> Error {
        match error {
            AppError::Full => Error::new(StatusCode::CONFLICT, "room_full", "The room is full."),
            AppError::Database => Error::internal("connection to 10.0.0.7 refused"),
        }
    }
}

/// A reply that the application writes itself: the frame is JSON in any case.
struct RawReply(&'static [&'static str]);

impl IntoReply<RawReply> for RawReply {
    fn into_reply(self, reply: &mut Reply) -> Result<()> {
        self.0.iter().try_for_each(|data| reply.data(StatusCode::ACCEPTED, data))
    }
}

type Aliased<T> = std::result::Result<T, AppError>;

#[consumer]
impl Replies {
    #[action(permission = AllowAny)]
    async fn row(&self) -> Row {
        Row { id: 7 }
    }

    #[action(permission = AllowAny)]
    async fn unit(&self) {}

    #[action(permission = AllowAny)]
    async fn created(&self) -> Created<Row> {
        Created(Row { id: 8 })
    }

    #[action(permission = AllowAny)]
    async fn no_content(&self) -> Result<NoContent> {
        Ok(NoContent)
    }

    #[action(permission = AllowAny)]
    async fn accepted(&self, status: u16) -> (&'static str, StatusCode) {
        ("later", StatusCode::from_u16(status).unwrap())
    }

    #[action(permission = AllowAny)]
    async fn silent(&self, fail: bool) -> Result<NoReply> {
        if fail { Err(Error::denied()) } else { Ok(NoReply) }
    }

    #[action(permission = AllowAny)]
    async fn fails(&self, how: String) -> Aliased<Row> {
        Err(if how == "full" { AppError::Full } else { AppError::Database })
    }

    #[action(permission = AllowAny)]
    async fn throttled(&self) -> Result<(), Error> {
        Err(Error::too_many_requests(Duration::from_millis(1500)))
    }

    #[action(permission = AllowAny)]
    async fn panics(&self) {
        panic!("a secret");
    }

    #[action(permission = AllowAny)]
    async fn unserializable(&self) -> HashMap<Vec<u8>, u8> {
        HashMap::from([(vec![1], 1)])
    }

    #[action(permission = AllowAny)]
    async fn own(&self, written: usize) -> RawReply {
        RawReply(&["first", "second"][..written])
    }

    #[action(permission = AllowAny)]
    async fn much_later(&self) -> Result<()> {
        Err(Error::too_many_requests(Duration::MAX))
    }

    #[action(permission = AllowAny)]
    async fn long(&self, length: usize) -> String {
        "x".repeat(length)
    }
}

async fn client() -> Client {
    connect(&portcullis::websocket(Replies)).open().await.unwrap()
}

async fn exchange(client: &mut Client, frame: &str) -> String {
    client.send(frame);
    client.reply().await.text().to_owned()
}

#[tokio::test]
async fn replies_in_the_native_dialect_have_one_shape() {
    let mut client = client().await;
    for (frame, wanted) in [
        (r#"{"action":"row"}"#, r#"{"errors":[],"data":{"id":7},"action":"row","route":"","status":200}"#),
        (
            r#"{"action":"row","route":"","request_id":7}"#,
            r#"{"errors":[],"data":{"id":7},"action":"row","route":"","status":200,"request_id":7}"#,
        ),
        (r#"{"action":"unit"}"#, r#"{"errors":[],"data":null,"action":"unit","route":"","status":200}"#),
        (r#"{"action":"created"}"#, r#"{"errors":[],"data":{"id":8},"action":"created","route":"","status":201}"#),
        (r#"{"action":"no_content"}"#, r#"{"errors":[],"data":null,"action":"no_content","route":"","status":204}"#),
        (
            r#"{"action":"accepted","status":202}"#,
            r#"{"errors":[],"data":"later","action":"accepted","route":"","status":202}"#,
        ),
        (r#"{"action":"own","written":0}"#, r#"{"errors":[],"data":null,"action":"own","route":"","status":200}"#),
        (r#"{"action":"own","written":2}"#, r#"{"errors":[],"data":"second","action":"own","route":"","status":202}"#),
        (
            r#"{"action":"fails","how":"full"}"#,
            r#"{"errors":[{"code":"room_full","detail":"The room is full."}],"data":null,"action":"fails","route":"","status":409}"#,
        ),
        (
            r#"{"action":"throttled"}"#,
            r#"{"errors":[{"code":"too_many_requests","detail":"Too many requests.","retry_after":2}],"data":null,"action":"throttled","route":"","status":429}"#,
        ),
        (
            r#"{"action":"bogus","request_id":"x"}"#,
            r#"{"errors":[{"code":"unknown_action","detail":"Unknown action."}],"data":null,"action":"bogus","route":"","status":405,"request_id":"x"}"#,
        ),
        (
            r#"{"action":"row","route":"no/where"}"#,
            r#"{"errors":[{"code":"not_found","detail":"Not found."}],"data":null,"action":"row","route":"no/where","status":404}"#,
        ),
    ] {
        assert_eq!(exchange(&mut client, frame).await, wanted);
    }
}

#[tokio::test]
async fn request_id_is_echoed_byte_for_byte() {
    let mut client = client().await;
    for id in [
        "1",
        "1.50",
        "-0",
        "1e30",
        "12345678901234567890123",
        "true",
        "null",
        r#""""#,
        r#""a\u0062\/""#,
        "[1, 2]",
        r#"{ "a" : {"a":1,"a":2} }"#,
        "\"\u{1f980}\"",
    ] {
        let reply = exchange(&mut client, &format!(r#"{{"request_id":{id},"action":"unit"}}"#)).await;
        assert!(reply.ends_with(&format!(r#""status":200,"request_id":{id}}}"#)), "{reply}");
    }
}

#[tokio::test]
async fn malformed_message_is_answered_with_400_and_the_connection_stays_open() {
    let mut client = client().await;
    let deep = format!(r#"{{"action":"unit","x":{}{}}}"#, "[".repeat(5000), "]".repeat(5000));
    let long_id = format!(r#"{{"action":"unit","request_id":"{}"}}"#, "x".repeat(300));
    for (frame, code) in [
        ("nonsense", "malformed_message"),
        ("", "malformed_message"),
        ("5", "malformed_message"),
        ("null", "malformed_message"),
        ("[]", "malformed_message"),
        (r#""unit""#, "malformed_message"),
        (r#"{"action":"unit""#, "malformed_message"),
        (r#"{"action":"unit"} x"#, "malformed_message"),
        (r#"{"action":"unit","x":NaN}"#, "malformed_message"),
        ("{}", "missing_action"),
        (r#"{"action":5}"#, "missing_action"),
        (r#"{"action":null}"#, "missing_action"),
        (r#"{"action":["unit"]}"#, "missing_action"),
        (r#"{"action":"unit","route":5}"#, "invalid_route"),
        (r#"{"action":"unit","action":"unit"}"#, "repeated_key"),
        (r#"{"action":"unit","x":1,"x":1}"#, "repeated_key"),
        (&deep, "too_deep"),
        (&long_id, "request_id_too_long"),
    ] {
        client.send(frame);
        let reply = client.reply().await;
        assert_eq!((reply.status(), reply.code()), (400, code), "{frame:.60}");
        assert_eq!(client.call("unit").await.status(), 200, "{frame:.60}");
    }
    client.send_binary();
    let reply = client.reply().await;
    assert_eq!((reply.status(), reply.code()), (400, "binary_frame"));
    assert_eq!(client.call("unit").await.status(), 200);
}

#[tokio::test]
async fn internal_error_reveals_nothing_and_the_connection_stays_open() {
    let mut client = client().await;
    for call in ["panics", "unserializable"] {
        let reply = client.call(call).await;
        assert_eq!((reply.status(), reply.code()), (500, "internal_error"), "{reply:?}");
        assert!(!reply.text().contains("secret") && reply.data().is_null(), "{reply:?}");
        assert_eq!(client.call("unit").await.status(), 200);
    }
    assert_eq!(client.call("much_later").await.value()["errors"][0]["retry_after"], u64::MAX);
    let reply = client.call("fails").with("how", "database").await;
    assert!(reply.status() == 500 && !reply.text().contains("10.0.0.7"), "{reply:?}");
    // An error status is invalid for data.
    assert_eq!(client.call("accepted").with("status", 404).await.status(), 500);
}

#[tokio::test]
async fn no_reply_action_replies_only_with_errors() {
    let mut client = client().await;
    client.send(r#"{"action":"silent","fail":false,"request_id":1}"#);
    client.send(r#"{"action":"silent","fail":true,"request_id":2}"#);
    let reply = client.reply().await;
    assert_eq!((reply.status(), &reply.value()["request_id"]), (403, &2.into()));
}

#[tokio::test]
async fn replies_of_different_lengths_are_sent_complete() {
    let mut client = client().await;
    for length in [0, 100_000, 1, 600, 1_100, 50_000, 3] {
        let reply = client.call("long").with("length", length).await;
        assert_eq!(reply.data().as_str().map(str::len), Some(length));
    }
}
