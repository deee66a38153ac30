//! A newer version of the service in `versions.rs`, which a test runs in a process of its own: `newer_version BROKER_URL PREFIX`.
//! It prints what its member receives.

use std::error::Error;

use portcullis::testing::connect;
use portcullis::{AllowAny, Context, Endpoint, Event, Group, NatsBroker, RedisBroker, Result, consumer, websocket};
use serde::{Deserialize, Serialize};

struct Canvas;

/// The same in both versions.
#[derive(Debug, Clone, Serialize, Deserialize, Event)]
struct Said {
    text: String,
}

/// Has one field more than before.
#[derive(Debug, Clone, Serialize, Deserialize, Event)]
struct Moved {
    x: i32,
    y: i32,
}

/// New.
#[derive(Debug, Clone, Serialize, Deserialize, Event)]
struct Drawn {
    line: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, Group)]
#[group(consumer = Canvas, permission = AllowAny, publish = members, events(Said, Moved, Drawn))]
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

    #[event(permission = AllowAny)]
    fn drawn(event: &Drawn) -> &Drawn {
        event
    }

    #[action(permission = AllowAny)]
    async fn open(&self, cx: &Context<'_, ()>) -> Result<()> {
        cx.join(Sheet(1)).await
    }
}

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (url, prefix) = (arguments.next().ok_or("no URL")?, arguments.next().ok_or("no prefix")?);
    let canvas = websocket(Canvas);
    let canvas: Endpoint<Canvas> = if url.starts_with("redis") {
        canvas.broker(RedisBroker::new(&url, &prefix)?)
    } else {
        canvas.broker(NatsBroker::new(&url, &prefix)?)
    };
    let mut member = connect(&canvas).open().await.map_err(|rejected| format!("{rejected:?}"))?;
    // The join is answered when the broker has confirmed the subscription.
    assert_eq!(member.call("open").await.status(), 200);
    println!("member: ready");
    let publisher = canvas.publisher();
    loop {
        let event = member.event().await;
        let (name, text) = (event.value()["event"].to_string(), event.value()["data"]["text"].to_string());
        println!("received: {name} {text}");
        match &*text {
            "\"publish\"" => {
                publisher.publish(&Sheet(1), Moved { x: 1, y: 2 });
                publisher.publish(&Sheet(1), Drawn { line: 3 });
                publisher.publish(&Sheet(1), Said { text: "published".to_owned() });
            }
            "\"count\"" => {
                let cluster = canvas.snapshot().cluster.ok_or("no broker")?;
                println!("unknown: {}", cluster.unknown_events);
            }
            _ => {}
        }
    }
}
