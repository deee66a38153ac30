//! A `Result` under any name is answered as a result, even if its error could be serialized as data, and errors of any kind
//! are converted.

use std::error::Error as StdError;
use std::fmt;

use portcullis::testing::connect;
use portcullis::{
    AllowAny, Created, Error, Handler, Permission, PermissionContext, Result as Checked, ResultExt, StatusCode,
    consumer,
};
use serde::Serialize;

#[derive(Debug, Serialize)]
struct Full;

impl From<Full> for Error {
    fn from(_: Full) -> Error {
        Error::new(StatusCode::CONFLICT, "room_full", "The room is full.")
    }
}

type Outcome = Result<u8, Full>;
type Made<T, E = Full> = Result<Created<T>, E>;

fn outcome(full: bool) -> Outcome {
    if full { Err(Full) } else { Ok(7) }
}

struct Rooms<E>(fn() -> E);

#[consumer(permission = AllowAny)]
impl<E: Into<Error> + Serialize + 'static> Rooms<E> {
    #[action]
    async fn alias(&self, full: bool) -> Outcome {
        outcome(full)
    }

    #[action]
    fn plain(&self, full: bool) -> Result<u8, Full> {
        outcome(full)
    }

    #[action]
    fn generic(&self, full: bool) -> Made<u8, E> {
        if full { Err((self.0)()) } else { Ok(Created(7)) }
    }

    #[action]
    fn data(&self, full: bool) -> [Outcome; 1] {
        [outcome(full)]
    }
}

#[tokio::test]
async fn result_under_an_alias_is_answered_as_an_error() {
    let mut client = connect(&portcullis::websocket(Rooms(|| Full))).open().await.unwrap();
    for (action, status) in [("alias", 200), ("plain", 200), ("generic", 201)] {
        let reply = client.call(action).with("full", false).await;
        assert_eq!((reply.status(), reply.data()), (status, &7.into()), "{action}");
        let reply = client.call(action).with("full", true).await;
        assert_eq!((reply.status(), reply.code()), (409, "room_full"), "{action}");
        assert!(reply.data().is_null(), "{action}: {reply:?}");
    }
    // Inside another type a `Result` is data.
    let reply = client.call("data").with("full", true).await;
    assert_eq!((reply.status(), reply.data()[0].get("Err").is_some()), (200, true), "{reply:?}");
}

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("full")
    }
}

/// So it could be a fault too; its conversion is preferred.
impl StdError for Full {}

/// Has no conversion into `Error`.
#[derive(Debug)]
struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the store's secret")
    }
}

impl StdError for Broken {}

struct Readable;

impl<H: Handler> Permission<H> for Readable {
    async fn has_permission(&self, _: &H, cx: &PermissionContext<'_, H::User>) -> Checked<bool> {
        let name: &str = cx.argument("name")?;
        let denied = Err::<bool, Error>(Error::not_found());
        match name {
            "std" => Err(Broken).fault(),
            "boxed" => Err(Box::<dyn StdError + Send + Sync>::from(Broken)).fault(),
            "text" => Err("no such table").fault(),
            "own" => denied.fault(),
            "anyhow" => Err(anyhow::anyhow!("no such table")).fault(),
            "own_anyhow" => denied.map_err(|error| anyhow::Error::from(error).context("reading")).fault(),
            _ => Ok::<_, Broken>(true).fault(),
        }
    }
}

struct Failures<E>(fn() -> E);

#[consumer(permission = AllowAny)]
impl<E: StdError + Send + Sync + 'static> Failures<E> {
    #[action]
    async fn std(&self) -> Result<u8, Broken> {
        Err(Broken)
    }

    #[action]
    async fn generic(&self) -> Result<u8, E> {
        Err((self.0)())
    }

    #[action(blocking)]
    fn boxed(&self) -> Result<u8, Box<dyn StdError + Send + Sync>> {
        Err(Broken)?
    }

    #[action]
    async fn own_boxed(&self) -> Result<u8, Box<dyn StdError + Send + Sync>> {
        Err(Error::not_found())?
    }

    #[action]
    async fn own_in_a_box(&self) -> Result<u8, Box<Error>> {
        Err(Box::new(Error::not_found()))
    }

    #[action]
    async fn own_in_two_boxes(&self) -> Result<u8, Box<dyn StdError + Send + Sync>> {
        Err(Box::new(Error::not_found()))?
    }

    #[action]
    async fn own_in_a_box_as_anyhow(&self) -> anyhow::Result<u8> {
        Err(Box::new(Error::not_found()))?
    }

    #[action]
    async fn preferred(&self) -> Result<u8, Full> {
        Err(Full)
    }

    #[action]
    async fn anyhow(&self) -> anyhow::Result<u8> {
        "many".parse().map_err(anyhow::Error::from)
    }

    #[action]
    async fn own_anyhow(&self) -> anyhow::Result<u8> {
        Err(anyhow::Error::from(Error::not_found()).context("reading"))
    }

    #[action(permission = Readable)]
    async fn guarded(&self, name: &str) -> usize {
        name.len()
    }
}

#[tokio::test]
async fn error_of_any_kind_is_converted() {
    let mut client = connect(&portcullis::websocket(Failures(|| Broken))).open().await.unwrap();
    for (action, status, code) in [
        ("std", 500, "internal_error"),
        ("generic", 500, "internal_error"),
        ("boxed", 500, "internal_error"),
        ("own_boxed", 404, "not_found"),
        ("own_in_a_box", 404, "not_found"),
        ("own_in_two_boxes", 404, "not_found"),
        ("own_in_a_box_as_anyhow", 404, "not_found"),
        ("preferred", 409, "room_full"),
        ("anyhow", 500, "internal_error"),
        ("own_anyhow", 404, "not_found"),
    ] {
        let reply = client.call(action).await;
        assert_eq!((reply.status(), reply.code()), (status, code), "{action}");
        assert!(!reply.text().contains("secret") && !reply.text().contains("digit"), "{}", reply.text());
    }
}

#[tokio::test]
async fn own_error_as_a_type_parameter_keeps_its_status() {
    let mut client = connect(&portcullis::websocket(Failures(Error::not_found))).open().await.unwrap();
    assert_eq!(client.call("generic").await.status(), 404);
}

#[tokio::test]
async fn fault_refuses_with_500_and_keeps_own_errors() {
    let mut client = connect(&portcullis::websocket(Failures(|| Broken))).open().await.unwrap();
    for name in ["std", "boxed", "text", "anyhow", "own", "own_anyhow", "none"] {
        let reply = client.call("guarded").with("name", name).await;
        let status = match name {
            "none" => 200,
            "own" | "own_anyhow" => 404,
            _ => 500,
        };
        assert_eq!(reply.status(), status, "{name}: {}", reply.text());
        assert!(!reply.text().contains("secret") && !reply.text().contains("table"), "{}", reply.text());
    }
}
