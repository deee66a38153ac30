//! Panics of the traits of values: `Hash`, `Eq`, `Clone`, `Display` and `Drop` of a group's key, and the key of an event.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use portcullis::testing::{Client, connect};
use portcullis::{AllowAny, Context, Endpoint, Event, Group, Limits, OverflowPolicy, Result, consumer};
use tokio::time::{sleep, timeout};

use super::{assert_table, render};
use crate::common::limits::without_heartbeat;

/// A value of which one trait panics while it is armed.
#[derive(Default)]
struct Trap(Arc<Mutex<Option<&'static str>>>);

impl Trap {
    fn check(&self, name: &str) {
        let armed = *self.0.lock().unwrap();
        assert!(armed != Some(name) || std::thread::panicking(), "a trait panicked");
    }
}

impl Clone for Trap {
    fn clone(&self) -> Trap {
        self.check("Clone");
        Trap(self.0.clone())
    }
}

impl PartialEq for Trap {
    fn eq(&self, _: &Trap) -> bool {
        self.check("Eq");
        true
    }
}

impl Eq for Trap {}

impl Hash for Trap {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.check("Hash");
        state.write_u8(1);
    }
}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.check("Display");
        f.write_str("trap")
    }
}

impl Drop for Trap {
    fn drop(&mut self) {
        self.check("Drop");
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Shelves, permission = AllowAny, publish = AllowAny, events(Labelled, Keyed), public_name = "{0}", local)]
struct Tagged(Trap);

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Shelves, permission = AllowAny, publish = AllowAny, events(Labelled))]
struct Floor;

#[derive(Event)]
struct Labelled(u32);

#[derive(Event)]
#[event(local)]
struct Keyed {
    key: Trap,
    number: u32,
}

struct Shelves(Arc<Mutex<Option<&'static str>>>);

impl Shelves {
    fn tagged(&self) -> Tagged {
        Tagged(Trap(self.0.clone()))
    }
}

#[consumer]
impl Shelves {
    #[event(permission = AllowAny)]
    fn labelled(event: &Labelled) -> &u32 {
        &event.0
    }

    #[event(permission = AllowAny, key = key)]
    fn keyed(event: &Keyed) -> &u32 {
        &event.number
    }

    #[action(permission = AllowAny)]
    async fn ping(&self) {}

    #[action(permission = AllowAny)]
    async fn enter(&self, cx: &Context<'_, ()>) -> Result<()> {
        cx.join(Floor).await
    }

    #[action(permission = AllowAny)]
    async fn join(&self, cx: &Context<'_, ()>) -> Result<()> {
        cx.join(self.tagged()).await
    }

    #[action(permission = AllowAny)]
    async fn subscribe(&self, cx: &Context<'_, ()>) -> Result<()> {
        cx.subscribe(self.tagged()).await
    }

    #[action(permission = AllowAny)]
    async fn leave(&self, cx: &Context<'_, ()>) -> Result<()> {
        cx.leave(self.tagged())
    }

    #[action(permission = AllowAny)]
    async fn publish(&self, cx: &Context<'_, ()>) -> Result<()> {
        cx.publish(self.tagged(), Labelled(7)).await
    }
}

struct Fixture {
    armed: Arc<Mutex<Option<&'static str>>>,
    shelves: Endpoint<Shelves>,
}

impl Fixture {
    fn new(limits: Limits, policy: OverflowPolicy) -> Fixture {
        let armed = Arc::<Mutex<Option<&'static str>>>::default();
        let shelves = portcullis::websocket(Shelves(armed.clone())).limits(limits).overflow_policy(policy);
        Fixture { armed, shelves }
    }

    async fn open(&self) -> Client {
        let mut client = connect(&self.shelves).open().await.unwrap();
        for action in ["enter", "join"] {
            assert_eq!(client.call(action).await.status(), 200);
        }
        client
    }

    /// Publishes to both groups as the server, and asserts that a client receives the last of the three events.
    async fn assert_receives(&self, client: &mut Client) {
        let publisher = self.shelves.publisher();
        for number in [100, 101] {
            publisher.publish(&Floor, Labelled(number));
        }
        publisher.publish(&Tagged(Trap(self.armed.clone())), Labelled(102));
        while client.event_as::<u32>("labelled").await != 102 {}
        assert_eq!(client.call("ping").await.status(), 200);
    }
}

/// Performs one operation of a connection while a trait of its group's key panics, and returns what it observes.
async fn operate(operation: &str, name: &'static str) -> String {
    let fixture = Fixture::new(without_heartbeat(), OverflowPolicy::Close);
    let (mut subject, mut bystander) = (fixture.open().await, fixture.open().await);
    if matches!(operation, "join" | "subscribe") {
        assert_eq!(subject.call("leave").await.status(), 200);
    }
    *fixture.armed.lock().unwrap() = Some(name);
    let observed = match operation {
        "deliver" => {
            let publisher = fixture.shelves.publisher();
            // A key that panics does so in the code that publishes by it.
            let publishing = AssertUnwindSafe(|| {
                let tagged = std::mem::ManuallyDrop::new(Tagged(Trap(fixture.armed.clone())));
                publisher.publish(&*tagged, Labelled(1));
            });
            if catch_unwind(publishing).is_ok() { "published" } else { "panicked" }.to_owned()
        }
        "refresh" => {
            let refreshing = fixture.shelves.connections();
            let refreshed = timeout(Duration::from_mins(1), refreshing.refresh_all().revalidated()).await;
            refreshed.map_or("hangs", |_| "refreshed").to_owned()
        }
        "disconnect" => {
            drop(subject);
            sleep(Duration::from_secs(1)).await;
            *fixture.armed.lock().unwrap() = None;
            subject = fixture.open().await;
            "gone".to_owned()
        }
        action => {
            subject.send(format!(r#"{{"action":"{action}","request_id":"op"}}"#));
            sleep(Duration::from_secs(1)).await;
            String::new()
        }
    };
    *fixture.armed.lock().unwrap() = None;
    fixture.assert_receives(&mut bystander).await;
    // The connection is open and a member, or the server has closed it.
    sleep(Duration::from_secs(1)).await;
    let (messages, code) = subject.close().await;
    let reply = messages.iter().find(|message| message.value()["request_id"] == "op");
    let status = reply.map(|reply| reply.status().to_string());
    let observed = status.unwrap_or(observed);
    if code == 1000 {
        let events = messages.iter().filter(|message| message.event_name().is_some()).count();
        assert!(events >= 2, "{operation} {name}: {messages:?}");
    }
    // The group still works.
    let mut other = fixture.open().await;
    fixture.assert_receives(&mut other).await;
    fixture.assert_receives(&mut bystander).await;
    if code == 1000 { observed } else { format!("{observed} {code}").trim_start().to_owned() }
}

#[tokio::test(start_paused = true)]
async fn panic_of_a_group_key_affects_one_operation() {
    let operations = ["join", "subscribe", "leave", "publish", "refresh", "deliver", "disconnect"];
    let names = ["Hash", "Eq", "Clone", "Display", "Drop"];
    let table = render(&names, &operations, async |name, operation| operate(operation, name).await).await;
    assert_table(
        &table,
        "
                       join           subscribe      leave          publish        refresh        deliver        disconnect
Hash                   4500           4500           200            4500           refreshed      panicked       gone
Eq                     4500           4500           500            4500           refreshed      panicked       gone
Clone                  500            500            500            200            refreshed      published      gone
Display                500            500            200            200            refreshed      published      gone
Drop                   200            200            200            200            refreshed      published      gone
",
    );
}

#[tokio::test(start_paused = true)]
async fn panic_of_an_event_key_ends_coalescing_and_nothing_else() {
    for (name, expected) in [(None, None), (Some("Hash"), Some(1013)), (Some("Eq"), Some(1013))] {
        let limits = Limits { max_queued_events: 1, ..without_heartbeat() };
        let fixture = Fixture::new(limits, OverflowPolicy::KeepNewest);
        let mut subject = fixture.open().await;
        let publisher = fixture.shelves.publisher();
        *fixture.armed.lock().unwrap() = name;
        for number in 0..5 {
            publisher.publish(&Tagged(Trap::default()), Keyed { key: Trap(fixture.armed.clone()), number });
        }
        match expected {
            Some(code) => assert_eq!(subject.closed().await, code, "{name:?}"),
            None => {
                for number in 1..5 {
                    assert_eq!(subject.event_as::<u32>("keyed").await, number);
                }
            }
        }
        *fixture.armed.lock().unwrap() = None;
        let mut other = fixture.open().await;
        fixture.assert_receives(&mut other).await;
    }
}
