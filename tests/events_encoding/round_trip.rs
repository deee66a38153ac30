//! What subscribers receive equals what was published, for every shape of event.

use std::collections::BTreeMap;

use portcullis::testing::{Client, connect};
use portcullis::{AllowAny, ConnectContext, Context, Endpoint, Event, Group, Result, consumer, websocket};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Hops, Member};

#[derive(Event, Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    #[serde(skip)]
    hidden: u64,
    #[serde(default, rename = "x")]
    ratio: f64,
    #[serde(flatten)]
    properties: BTreeMap<String, Inner>,
    r#type: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Inner {
    Unit,
    Tuple(i64, char),
    Struct { list: Vec<u8> },
}

#[derive(Event, Debug, Clone, PartialEq)]
struct Tuple(u128, (bool, i8), [u16; 3]);

#[derive(Event, Debug, Clone, PartialEq)]
struct Unit;

#[derive(Event, Debug, Clone, PartialEq)]
enum Choice {
    Unit,
    Tuple(String, Inner),
    Struct { at: i32, next: Option<Box<Inner>> },
}

#[derive(Event, Debug, Clone, PartialEq)]
struct Changed<T> {
    old: Option<T>,
    new: T,
}

#[derive(Event)]
struct Traveled(Hops);

#[derive(Event)]
#[event(local)]
struct Stayed {
    hops: Hops,
    /// Not serializable.
    _marker: Box<dyn Fn() + Send + Sync>,
}

impl Stayed {
    fn new() -> Stayed {
        Stayed { hops: Hops::default(), _marker: Box::new(|| ()) }
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(
    consumer = Shapes, permission = AllowAny, publish = members,
    events(Named, Tuple, Unit, Choice, Changed<u8>, Changed<Inner>, Traveled)
)]
enum Everyone {
    Here { floor: u8, wing: String },
}

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Shapes, permission = AllowAny, publish = members, events(Stayed, Traveled), local)]
struct Locals(&'static str);

struct Shapes;

#[consumer(user = Member)]
impl Shapes {
    #[connect]
    async fn connect(&self, cx: &ConnectContext<'_, Member>) -> Result<()> {
        cx.join(everyone()).await?;
        cx.join(Locals("here")).await
    }

    #[event(permission = AllowAny)]
    fn named(event: &Named) -> String {
        format!("{event:?}")
    }

    #[event(permission = AllowAny)]
    fn tuple(event: &Tuple) -> String {
        format!("{event:?}")
    }

    #[event(permission = AllowAny)]
    fn unit(event: &Unit) -> String {
        format!("{event:?}")
    }

    #[event(permission = AllowAny)]
    fn choice(event: &Choice) -> String {
        format!("{event:?}")
    }

    #[event(permission = AllowAny)]
    fn changed_number(event: &Changed<u8>) -> String {
        format!("{event:?}")
    }

    #[event(permission = AllowAny)]
    fn changed_inner(event: &Changed<Inner>) -> String {
        format!("{event:?}")
    }

    #[event(permission = AllowAny)]
    fn traveled(event: &Traveled) -> u32 {
        event.0.0
    }

    #[event(permission = AllowAny)]
    fn stayed(event: &Stayed) -> u32 {
        event.hops.0
    }

    #[action(permission = AllowAny)]
    async fn ping(&self) {}

    /// Publishes in every way that an action has.
    #[action(permission = AllowAny)]
    async fn travel(&self, cx: &Context<'_, Member>) -> Result<()> {
        cx.publish(everyone(), Traveled(Hops(10))).await?;
        cx.publish_to_several([everyone()], Traveled(Hops(20))).await?;
        cx.publish_to_user::<Shapes, _>("7", Traveled(Hops(30)))?;
        cx.publish_permit(everyone()).await?.publish(Traveled(Hops(40)));
        cx.publish(Locals("here"), Traveled(Hops(50))).await?;
        cx.publish(Locals("here"), Stayed::new()).await
    }
}

fn everyone() -> Everyone {
    Everyone::Here { floor: 3, wing: "east".to_owned() }
}

async fn shapes() -> (Endpoint<Shapes>, Client) {
    let shapes = websocket(Shapes);
    let mut client = connect(&shapes).user(Member).open().await.unwrap();
    assert_eq!(client.call("ping").await.status(), 200);
    (shapes, client)
}

fn inner() -> impl Strategy<Value = Inner> {
    prop_oneof![
        Just(Inner::Unit),
        (any::<i64>(), any::<char>()).prop_map(|(number, character)| Inner::Tuple(number, character)),
        any::<Vec<u8>>().prop_map(|list| Inner::Struct { list }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn event_of_any_shape_reaches_subscribers_unchanged(
        hidden in any::<u64>(),
        ratio in proptest::num::f64::NORMAL | proptest::num::f64::SUBNORMAL | proptest::num::f64::ZERO,
        properties in proptest::collection::btree_map(any::<String>(), inner(), 0..4),
        r#type in any::<Option<String>>(),
        (number, pair, array) in any::<(u128, (bool, i8), [u16; 3])>(),
        (text, at) in any::<(String, i32)>(),
        (one, other, next) in (inner(), inner(), proptest::option::of(inner())),
        (old, new) in any::<(Option<u8>, u8)>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (shapes, mut client) = shapes().await;
            let publisher = shapes.publisher();
            macro_rules! check {
                ($($event:expr),+ $(,)?) => {$(
                    let event = $event;
                    let expected = format!("{event:?}");
                    publisher.publish(&everyone(), event);
                    assert_eq!(client.event().await.data_as::<String>(), expected);
                )+};
            }
            check!(
                Named { hidden, ratio, properties, r#type },
                Tuple(number, pair, array),
                Unit,
                Choice::Unit,
                Choice::Tuple(text, one.clone()),
                Choice::Struct { at, next: next.map(Box::new) },
                Changed { old, new },
                Changed { old: Some(one), new: other },
            );
        });
    }
}

#[tokio::test]
async fn distributed_event_is_decoded_once_and_local_event_never() {
    let (shapes, mut client) = shapes().await;
    assert_eq!(client.call("travel").await.status(), 200);
    let mut hops = Vec::new();
    for _ in 0..6 {
        hops.push(client.event().await.data_as::<u32>());
    }
    assert_eq!(hops, [11, 21, 31, 41, 51, 0]);
    let publisher = shapes.publisher();
    publisher.publish(&everyone(), Traveled(Hops(60)));
    publisher.publish_to_several(&[everyone()], Traveled(Hops(70)));
    publisher.publish_to_user("7", Traveled(Hops(80)));
    publisher.publish(&Locals("here"), Stayed::new());
    for expected in [61, 71, 81, 0] {
        assert_eq!(client.event().await.data_as::<u32>(), expected);
    }
}

#[tokio::test]
async fn event_without_an_in_process_client_is_not_encoded() {
    let shapes = websocket(Shapes);
    // A value that cannot be encoded would panic.
    shapes
        .publisher()
        .publish(&everyone(), Named { hidden: 0, ratio: f64::NAN, properties: BTreeMap::new(), r#type: None });
    assert_eq!(shapes.publisher().counters().published, 1);
}
