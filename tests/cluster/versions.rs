//! Two versions of a service at one broker, built from different sources.

use std::path::PathBuf;
use std::process::Command;

use portcullis::testing::connect;
use portcullis::{
    AllowAny, Context, Endpoint, Event, Gap, Group, NatsBroker, RedisBroker, Result, consumer, websocket,
};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::brokers::{random, servers};
use crate::common::browser::Process;

/// Sends the sheets of each gap.
struct Canvas(UnboundedSender<Vec<u32>>);

/// The same in both versions.
#[derive(Debug, Clone, Serialize, Deserialize, Event)]
struct Said {
    text: String,
}

/// Has one field more in the newer version.
#[derive(Debug, Clone, Serialize, Deserialize, Event)]
struct Moved {
    x: i32,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, Group)]
#[group(consumer = Canvas, permission = AllowAny, publish = members, events(Said, Moved))]
struct Sheet(u32);

#[consumer]
impl Canvas {
    #[event(permission = AllowAny)]
    fn said(event: &Said) -> &Said {
        event
    }

    #[event(permission = AllowAny)]
    fn moved(event: &Moved) -> &Moved {
        event
    }

    #[gap]
    fn on_gap(&self, cx: &Gap<'_, Self>) {
        self.0.send(cx.groups::<Sheet>().into_iter().map(|Sheet(number)| number).collect()).unwrap();
    }

    #[action(permission = AllowAny)]
    async fn open(&self, cx: &Context<'_, ()>) -> Result<()> {
        // Of another partition than the first one.
        cx.join(Sheet(2)).await?;
        cx.join(Sheet(1)).await
    }
}

/// Returns the program `newer_version.rs`, which cargo builds with the examples.
fn newer_version() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let program = tests.parent().unwrap().parent().unwrap().join("examples/newer_version");
    let program = program.with_extension(std::env::consts::EXE_EXTENSION);
    assert!(program.is_file(), "{} is not there; build the examples first", program.display());
    program
}

#[tokio::test]
async fn event_that_the_other_version_does_not_know_is_dropped_and_counted_and_closes_nothing() {
    for url in servers().await {
        let prefix = format!("portcullis-test-{:032x}", random());
        let (sender, mut gaps) = unbounded_channel();
        let canvas: Endpoint<Canvas> = if url.starts_with("redis") {
            websocket(Canvas(sender)).broker(RedisBroker::new(&url, &prefix).unwrap())
        } else {
            websocket(Canvas(sender)).broker(NatsBroker::new(&url, &prefix).unwrap())
        };
        let mut member = connect(&canvas).open().await.unwrap();
        assert_eq!(member.call("open").await.status(), 200);
        let (mut newer, _) = Process::start(Command::new(newer_version()).args([&url, &prefix]), "member: ").await;
        let publisher = canvas.publisher();
        let say = |text: &str| publisher.publish(&Sheet(1), Said { text: text.to_owned() });

        publisher.publish(&Sheet(1), Moved { x: 1 });
        say("publish");
        assert_eq!(newer.line("received: ").await, "\"said\" \"publish\"", "{url}");
        // What it does not know comes before what it does.
        let mut received = Vec::new();
        while received.last().is_none_or(|text| text != "published") {
            let event = member.event().await;
            received.push(event.value()["data"]["text"].as_str().unwrap_or("moved here").to_owned());
        }
        assert_eq!(received, ["moved here", "publish", "published"], "{url}");
        assert_eq!(canvas.snapshot().cluster.unwrap().unknown_events, 2, "{url}");
        assert_eq!(gaps.recv().await.unwrap(), [1], "{url}");
        say("count");
        assert_eq!(newer.line("unknown: ").await, "1", "{url}");
        assert_eq!(member.call("open").await.status(), 200);
    }
}
