//! A `Result` under any name is answered as a result, even if its error could be serialized as data.

use portcullis::testing::connect;
use portcullis::{AllowAny, Created, Error, StatusCode, consumer};
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
