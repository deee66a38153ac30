//! Coalescing by key: a slow reader gets the newest event of each key; only older events of that key are dropped.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use portcullis::testing::{Client, connect};
use portcullis::{
    AllowAny, ConnectContext, Endpoint, Event, GrantSet, GrantSource, Group, Limits, OverflowPolicy, Result, Scope,
    User, UserGrants, consumer,
};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use crate::common::Padding;
use crate::common::clients::{self, Socket, connect_member};
use crate::common::limits::without_timeouts;

portcullis::permissions! {
    market { insight = "Sees what others do not" }
}

struct Trader;

impl User for Trader {
    fn id(&self) -> Cow<'_, str> {
        "7".into()
    }
}

/// Grants `market.insight` once `grants_open` is set.
struct DelayedGrants(Arc<watch::Sender<bool>>);

impl GrantSource<Trader> for DelayedGrants {
    async fn load(&self, _: &Trader) -> Result<UserGrants> {
        self.0.subscribe().wait_for(|open| *open).await.unwrap();
        Ok(GrantSet::from(market::insight).into())
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Market, permission = AllowAny, publish = members, events(Price, Volume, Hint, Notice, Trade))]
struct Exchange(u32);

#[derive(Event)]
struct Price {
    symbol: String,
    number: u32,
}

/// The same fields, with a payload per member.
#[derive(Event)]
struct Volume {
    symbol: String,
    number: u32,
}

/// Requires `market.insight`.
#[derive(Event)]
struct Hint {
    symbol: String,
    number: u32,
}

/// An event without a key.
#[derive(Event)]
struct Notice(u32);

#[derive(Event)]
struct Trade {
    order: Order,
    number: u32,
}

/// Hashes like every other order.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
struct Order(String);

impl Hash for Order {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

struct Market {
    /// The bytes of padding of a price.
    padding: usize,
}

#[consumer(user = Trader)]
impl Market {
    #[connect]
    async fn connect(&self, cx: &ConnectContext<'_, Trader>) -> Result<()> {
        cx.join(Exchange(0)).await?;
        cx.join(Exchange(1)).await
    }

    #[event(permission = AllowAny, key = symbol)]
    fn price<'e>(&self, event: &'e Price) -> (&'e str, u32, Padding) {
        (&event.symbol, event.number, Padding(self.padding))
    }

    #[event(permission = AllowAny, key = symbol)]
    fn volume<'e>(&self, event: &'e Volume, scope: &Scope<Trader>) -> Option<(&'e str, u32)> {
        scope.user().map(|_| (&*event.symbol, event.number))
    }

    #[event(permission = market.insight, key = symbol)]
    fn hint<'e>(&self, event: &'e Hint) -> (&'e str, u32) {
        (&event.symbol, event.number)
    }

    #[event(permission = AllowAny)]
    fn notice(&self, event: &Notice) -> (&'static str, u32) {
        ("", event.0)
    }

    #[event(permission = AllowAny, key = order)]
    fn trade<'e>(&self, event: &'e Trade) -> (&'e str, u32) {
        (&event.order.0, event.number)
    }

    #[action(permission = AllowAny)]
    async fn ping(&self) {}
}

struct Fixture {
    market: Endpoint<Market>,
    grants_open: Arc<watch::Sender<bool>>,
}

fn fixture(queue: usize, queue_bytes: usize, padding: usize) -> Fixture {
    let limits = Limits { max_queued_events: queue, max_queued_bytes: queue_bytes, ..without_timeouts() };
    let grants_open = Arc::new(watch::Sender::new(true));
    let market = portcullis::websocket(Market { padding }).limits(limits).overflow_policy(OverflowPolicy::KeepNewest);
    Fixture { market: market.grants(DelayedGrants(grants_open.clone())), grants_open }
}

impl Fixture {
    async fn open(&self) -> Client {
        let mut client = connect(&self.market).user(Trader).open().await.unwrap();
        assert_eq!(client.call("ping").await.status(), 200);
        client
    }

    fn price(&self, exchange: u32, symbol: &str, number: u32) {
        self.market.publisher().publish(&Exchange(exchange), Price { symbol: symbol.to_owned(), number });
    }

    fn volume(&self, exchange: u32, symbol: &str, number: u32) {
        self.market.publisher().publish(&Exchange(exchange), Volume { symbol: symbol.to_owned(), number });
    }

    fn hint(&self, exchange: u32, symbol: &str, number: u32) {
        self.market.publisher().publish(&Exchange(exchange), Hint { symbol: symbol.to_owned(), number });
    }

    fn trade(&self, order: &str, number: u32) {
        self.market.publisher().publish(&Exchange(0), Trade { order: Order(order.to_owned()), number });
    }

    fn notice(&self, number: u32) {
        self.market.publisher().publish(&Exchange(0), Notice(number));
    }

    /// Returns the number of dropped events and of connections closed as too slow.
    fn loss_counters(&self) -> (u64, u64) {
        let counters = self.market.publisher().counters();
        (counters.dropped, counters.too_slow)
    }
}

/// Returns the events before silence, each as the first letter of its name, its symbol and its number.
async fn received_events(client: &mut Client) -> Vec<String> {
    let mut all = Vec::new();
    while let Ok(frame) = timeout(Duration::from_millis(50), client.reply()).await {
        let (kind, data) = (frame.value()["event"].as_str().unwrap(), frame.data());
        all.push(format!("{}{}{}", &kind[..1], data[0].as_str().unwrap(), data[1]));
    }
    all
}

/// Returns symbol and number of the next frame if it is a price.
async fn next_price(socket: &mut Socket) -> Option<(String, u32)> {
    let frame = timeout(Duration::from_mins(1), socket.next()).await.expect("a frame arrives");
    let text = frame.unwrap().unwrap().into_text().unwrap();
    // Parsing the padding as JSON would take long.
    let (symbol, rest) = text.strip_prefix(r#"{"event":"price","data":[""#)?.split_once("\",")?;
    Some((symbol.to_owned(), rest.split(',').next()?.parse().unwrap()))
}

#[tokio::test]
async fn slow_reader_that_resumes_gets_the_newest_event_of_each_key() {
    const PRICES: u32 = 120;
    const SYMBOLS: [&str; 3] = ["a", "b", "c"];
    let fixture = fixture(16, usize::MAX, 256 * 1024);
    let market = fixture.market.clone().authenticate(async |_: &http::request::Parts| Ok(Some(Trader)));
    let address = clients::serve(market).await;
    let (mut reading, mut stalled) = (connect_member(&address).await, connect_member(&address).await);
    for number in 0..PRICES {
        let symbol = SYMBOLS[number as usize % 3];
        fixture.price(0, symbol, number);
        assert_eq!(next_price(&mut reading).await, Some((symbol.to_owned(), number)), "a reader is not delayed");
    }
    stalled.send(Message::text(r#"{"action":"ping"}"#)).await.unwrap();
    let (mut newest, mut numbers) = (BTreeMap::new(), Vec::new());
    while let Some((symbol, number)) = next_price(&mut stalled).await {
        newest.insert(symbol, number);
        numbers.push(number);
    }
    let wanted = SYMBOLS.map(str::to_owned).into_iter().zip(PRICES - 3..PRICES).collect();
    assert_eq!(newest, wanted, "the newest of each key, and the ping was answered");
    assert!(numbers.is_sorted(), "in order: {numbers:?}");
    let missed = u64::from(PRICES) - numbers.len() as u64;
    assert!(missed > 0, "the buffers of a socket hold only a few");
    assert_eq!(fixture.loss_counters(), (missed, 0));
}

#[tokio::test(start_paused = true)]
async fn full_queue_drops_only_older_events_of_the_same_key_and_group() {
    // The send queue of a connection that could not run takes four times its limit: four events.
    let fixture = fixture(1, usize::MAX, 0);
    let mut one = fixture.open().await;
    for number in 0..4 {
        fixture.price(0, "a", number);
    }
    assert_eq!(received_events(&mut one).await, ["pa0", "pa1", "pa2", "pa3"], "below the limit all arrive");
    for exchange in [0, 1] {
        fixture.volume(exchange, "a", 3 + exchange);
        fixture.price(exchange, "a", 1 + exchange);
    }
    assert_eq!(received_events(&mut one).await, ["va3", "pa1", "va4", "pa2"], "the key is per group and event type");
    for (exchange_again, wanted) in [(0, ["va3", "va4", "pa2", "pa9"]), (1, ["va3", "pa1", "va4", "pa9"])] {
        for exchange in [0, 1] {
            fixture.volume(exchange, "a", 3 + exchange);
            fixture.price(exchange, "a", 1 + exchange);
        }
        fixture.price(exchange_again, "a", 9);
        assert_eq!(received_events(&mut one).await, wanted);
    }
    assert_eq!(fixture.loss_counters(), (2, 0));
    fixture.market.publisher().publish_to_user("7", Volume { symbol: "a".to_owned(), number: 1 });
    for number in 2..6 {
        fixture.volume(1, "a", number);
    }
    assert_eq!(received_events(&mut one).await, ["va1", "va3", "va4", "va5"], "a publication to a user has no group");
    assert_eq!(fixture.loss_counters(), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn different_keys_with_equal_hashes_are_kept_apart() {
    // The send queue of a connection that could not run takes four times its limit: four events.
    let fixture = fixture(1, usize::MAX, 0);
    let mut one = fixture.open().await;
    for (order, number) in [("a", 1), ("b", 1), ("c", 1), ("d", 1), ("b", 2)] {
        fixture.trade(order, number);
    }
    assert_eq!(received_events(&mut one).await, ["ta1", "tc1", "td1", "tb2"], "only the older event of order b");
    for (order, number) in [("a", 1), ("b", 1), ("a", 2), ("b", 2)] {
        fixture.trade(order, number);
    }
    fixture.notice(1);
    assert_eq!(received_events(&mut one).await, ["ta2", "tb2", "n1"], "the older event of each order");
    assert_eq!(fixture.loss_counters(), (3, 0));
    for order in ["a", "b", "c", "d", "e"] {
        fixture.trade(order, 1);
    }
    assert_eq!(one.closed().await, 1013, "no event replaces one with another key");
}

#[tokio::test(start_paused = true)]
async fn event_without_key_is_never_dropped_and_closes_a_full_queue() {
    // The send queue of a connection that could not run takes four times its limit: four events.
    let fixture = fixture(1, usize::MAX, 0);
    let mut one = fixture.open().await;
    fixture.price(0, "a", 1);
    fixture.price(0, "a", 2);
    fixture.notice(1);
    fixture.notice(2);
    fixture.notice(3);
    assert_eq!(
        received_events(&mut one).await,
        ["pa2", "n1", "n2", "n3"],
        "an old event of a key makes room for events without key"
    );
    fixture.notice(4);
    fixture.notice(5);
    fixture.price(0, "a", 4);
    fixture.price(0, "b", 5);
    fixture.price(0, "b", 6);
    assert_eq!(received_events(&mut one).await, ["n4", "n5", "pa4", "pb6"]);
    assert_eq!(fixture.loss_counters(), (2, 0));
    for number in 0..5 {
        fixture.notice(number);
    }
    assert_eq!(one.closed().await, 1013);
    assert_eq!(fixture.loss_counters(), (2, 1));
    let mut other = fixture.open().await;
    for symbol in ["a", "b", "c", "d", "e"] {
        fixture.price(0, symbol, 1);
    }
    assert_eq!(other.closed().await, 1013, "another key makes no room");
    assert_eq!(fixture.loss_counters(), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn byte_limit_coalesces_and_closes_like_the_event_limit() {
    // Two frames fit, not a third: the queue of a connection that could not run takes four times its byte limit.
    let fixture = fixture(100, 625, 1000);
    let mut one = fixture.open().await;
    for (symbol, number) in [("a", 1), ("b", 1), ("b", 2), ("b", 3), ("a", 2)] {
        fixture.price(0, symbol, number);
    }
    assert_eq!(received_events(&mut one).await, ["pb3", "pa2"]);
    assert_eq!(fixture.loss_counters(), (3, 0));
    for symbol in ["a", "b", "c"] {
        fixture.price(0, symbol, 1);
    }
    assert_eq!(one.closed().await, 1013);
}

#[tokio::test(start_paused = true)]
async fn deferred_events_are_coalesced_by_key() {
    // Four times as many events may be deferred.
    let fixture = fixture(1, usize::MAX, 0);
    let mut one = fixture.open().await;
    fixture.grants_open.send_replace(false);
    fixture.hint(0, "a", 0);
    // From here on the first event is being evaluated, and the others are deferred behind it.
    assert_eq!(received_events(&mut one).await, Vec::<String>::new());
    for number in 1..4 {
        fixture.hint(0, "a", number);
        fixture.hint(1, "a", number);
    }
    fixture.hint(0, "b", 4);
    fixture.hint(0, "b", 5);
    assert_eq!(fixture.loss_counters(), (4, 0));
    fixture.grants_open.send_replace(true);
    // The connection takes each before the next follows, so no further one is dropped.
    assert_eq!(received_events(&mut one).await, ["ha0", "ha3", "ha3", "hb4", "hb5"]);
    assert_eq!(fixture.loss_counters(), (4, 0));
}

#[tokio::test(start_paused = true)]
async fn deferred_event_without_key_closes_a_full_queue() {
    let fixture = fixture(1, usize::MAX, 0);
    let mut one = fixture.open().await;
    fixture.grants_open.send_replace(false);
    fixture.hint(0, "a", 0);
    assert_eq!(received_events(&mut one).await, Vec::<String>::new());
    (0..3).for_each(|number| fixture.notice(number));
    fixture.hint(0, "a", 1);
    assert_eq!(fixture.loss_counters(), (0, 0));
    fixture.hint(0, "a", 2);
    assert_eq!(fixture.loss_counters(), (1, 0));
    fixture.notice(3);
    assert_eq!(one.closed().await, 1013);
    assert_eq!(fixture.loss_counters(), (1, 1));
}
