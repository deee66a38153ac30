//! Events and keys that change on the way are refused at the publisher.

use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};

use portcullis::testing::{Client, connect};
use portcullis::{AllowAny, Context, Endpoint, Event, Group, Publisher, Result, consumer, websocket};
use serde::{Deserialize, Deserializer, Serialize};

use super::Member;

/// Loses its value when it is encoded.
#[derive(Debug, PartialEq, Default, Serialize, Deserialize)]
struct Lossy {
    #[serde(skip)]
    value: u32,
}

#[derive(Event)]
struct Lost(Lossy);

/// Changes its value when it is decoded, and cannot be compared.
#[derive(Serialize)]
struct Rounded(f32);

impl<'de> Deserialize<'de> for Rounded {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Rounded, D::Error> {
        f32::deserialize(deserializer).map(|number| Rounded(number.round()))
    }
}

#[derive(Event)]
enum Measured {
    Nothing,
    Weight { kind: HashSet<u8>, weight: Rounded },
}

/// JSON has no such number.
#[derive(Event)]
struct Infinite(f64);

/// Ignores case.
#[derive(Clone, Serialize, Deserialize)]
struct Caseless(String);

impl PartialEq for Caseless {
    fn eq(&self, other: &Caseless) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Caseless {}

impl Hash for Caseless {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.to_ascii_lowercase().hash(state);
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Lab, permission = AllowAny, publish = AllowAny, events(Lost, Measured, Infinite))]
struct Bench(Caseless);

/// Its key changes when it is decoded.
#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Lab, permission = AllowAny, publish = AllowAny, events(Measured))]
struct Shelf {
    #[allow(dead_code)]
    row: Incremented,
}

#[derive(Clone, PartialEq, Eq, Hash, Serialize)]
struct Incremented(u8);

impl<'de> Deserialize<'de> for Incremented {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Incremented, D::Error> {
        u8::deserialize(deserializer).map(|number| Incremented(number + 1))
    }
}

struct Lab;

#[consumer(user = Member)]
impl Lab {
    #[event(permission = AllowAny)]
    fn lost(event: &Lost) -> u32 {
        event.0.value
    }

    #[event(permission = AllowAny)]
    fn measured(event: &Measured) -> f32 {
        match event {
            Measured::Nothing => 0.0,
            Measured::Weight { weight, .. } => weight.0,
        }
    }

    #[event(permission = AllowAny)]
    fn infinite(event: &Infinite) -> f64 {
        event.0
    }

    #[action(permission = AllowAny)]
    async fn enter(&self, cx: &Context<'_, Member>, bench: String) -> Result<()> {
        cx.join(Bench(Caseless(bench))).await
    }

    #[action(permission = AllowAny)]
    async fn enter_shelf(&self, cx: &Context<'_, Member>) -> Result<()> {
        cx.join(Shelf { row: Incremented(1) }).await
    }

    #[action(permission = AllowAny)]
    async fn lose(&self, cx: &Context<'_, Member>, value: u32) -> Result<()> {
        cx.publish(bench("a"), Lost(Lossy { value })).await
    }

    #[action(permission = AllowAny)]
    async fn lose_with_permit(&self, cx: &Context<'_, Member>, value: u32) -> Result<()> {
        cx.publish_permit(bench("a")).await?.publish(Lost(Lossy { value }));
        Ok(())
    }

    #[action(permission = AllowAny)]
    async fn lose_to_user(&self, cx: &Context<'_, Member>, value: u32) -> Result<()> {
        cx.publish_to_user::<Lab, _>("7", Lost(Lossy { value }))
    }

    #[action(permission = AllowAny)]
    async fn weigh(&self, cx: &Context<'_, Member>, bench: String, weight: f32) -> Result<()> {
        cx.publish(Bench(Caseless(bench)), heavy(weight)).await
    }
}

fn bench(name: &str) -> Bench {
    Bench(Caseless(name.to_owned()))
}

/// The order of the set differs after decoding, which changes nothing.
fn heavy(weight: f32) -> Measured {
    Measured::Weight { kind: (0..20).collect(), weight: Rounded(weight) }
}

async fn lab() -> (Endpoint<Lab>, Client) {
    let lab = websocket(Lab);
    let mut client = connect(&lab).user(Member).open().await.unwrap();
    assert_eq!(client.call("enter").with("bench", "a").await.status(), 200);
    (lab, client)
}

/// Returns the text of the panic.
fn panic_text(publish: impl FnOnce()) -> String {
    *catch_unwind(AssertUnwindSafe(publish)).unwrap_err().downcast::<String>().unwrap()
}

#[tokio::test]
async fn event_that_loses_data_fails_its_publication() {
    let (lab, mut client) = lab().await;
    for action in ["lose", "lose_with_permit", "lose_to_user"] {
        assert_eq!(client.call(action).with("value", 5).await.status(), 500, "{action}");
        client.expect_silence().await;
        // The default is what it is decoded as.
        assert_eq!(client.call(action).with("value", 0).await.status(), 200, "{action}");
        assert_eq!(client.event().await.data_as::<u32>(), 0, "{action}");
    }
    let publisher: Publisher<Lab> = lab.publisher();
    let expected = "the event `events_encoding::checks::Lost` changes on the way to another machine: its field `0` differs \
                    after encoding and decoding; correct its `Serialize` and `Deserialize`, or write `#[event(local)]` on \
                    the event";
    assert_eq!(panic_text(|| publisher.publish(&bench("a"), Lost(Lossy { value: 5 }))), expected);
    assert_eq!(panic_text(|| publisher.publish_to_user("7", Lost(Lossy { value: 5 }))), expected);
}

#[tokio::test]
async fn event_with_a_field_that_cannot_be_compared_is_compared_by_its_encoding() {
    let (lab, mut client) = lab().await;
    let text = panic_text(|| lab.publisher().publish(&bench("a"), heavy(1.5)));
    assert!(text.contains("its field `weight` differs"), "{text}");
    lab.publisher().publish(&bench("a"), heavy(2.0));
    lab.publisher().publish(&bench("a"), Measured::Nothing);
    assert_eq!(client.event().await.text(), r#"{"event":"measured","data":2.0}"#);
    assert_eq!(client.event().await.text(), r#"{"event":"measured","data":0.0}"#);
}

#[tokio::test]
async fn event_that_cannot_be_decoded_fails_its_publication() {
    let (lab, _client) = lab().await;
    let text = panic_text(|| lab.publisher().publish(&bench("a"), Infinite(f64::INFINITY)));
    assert!(
        text.starts_with("the event `events_encoding::checks::Infinite` cannot be decoded: invalid type: null"),
        "{text}"
    );
}

#[tokio::test]
async fn key_that_is_encoded_differently_from_an_equal_one_is_refused() {
    let (lab, mut client) = lab().await;
    assert_eq!(client.call("weigh").with("bench", "a").with("weight", 1).await.status(), 200);
    assert_eq!(client.event().await.text(), r#"{"event":"measured","data":1.0}"#);
    assert_eq!(client.call("weigh").with("bench", "A").with("weight", 1).await.status(), 500);
    assert_eq!(client.call("enter").with("bench", "A").await.status(), 500);
    client.expect_silence().await;
    let expected = "the key of the group `events_encoding::checks::Bench` is equal to another one that is encoded \
                    differently; correct the `Serialize` and `Deserialize` of its fields, or write `local` in its \
                    `#[group(..)]`";
    assert_eq!(panic_text(|| lab.publisher().publish(&bench("A"), Measured::Nothing)), expected);
}

#[tokio::test]
async fn key_that_changes_on_the_way_is_refused() {
    let (lab, mut client) = lab().await;
    assert_eq!(client.call("enter_shelf").await.status(), 500);
    let text = panic_text(|| lab.publisher().publish(&Shelf { row: Incremented(1) }, Measured::Nothing));
    assert!(text.contains("`events_encoding::checks::Shelf` differs after encoding and decoding"), "{text}");
}
