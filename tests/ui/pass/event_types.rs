//! Types of events and local groups: every shape, generics, and the attribute `event` in scope.

#![deny(warnings)]

use std::marker::PhantomData;
use std::sync::mpsc::SyncSender;
use std::time::Instant;

#[allow(unused_imports, reason = "the attribute of a type must not be mistaken for it")]
use portcullis::event;
use portcullis::{AllowAny, DistributedEvent, Event, Group, Publisher, consumer};
use serde::{Deserialize, Serialize};

#[derive(Event)]
#[event(name = "unit")]
struct Unit;

#[derive(Event)]
#[event(local)]
enum Local {
    #[allow(dead_code, reason = "no one reads it")]
    Sender(SyncSender<u8>),
    Text { text: &'static str },
}

#[derive(Event)]
enum Never {}

#[derive(Event, Serialize)]
#[serde(tag = "kind")]
enum Shape {
    Unit,
    Struct {
        #[serde(skip)]
        r#type: Vec<Option<u8>>,
        marker: PhantomData<&'static str>,
    },
}

#[derive(Event)]
struct Generic<T: Clone, const N: usize = 1>
where
    T: PartialEq,
{
    values: Vec<T>,
}

#[derive(Event)]
#[event(local)]
struct LocalGeneric<T>(T);

#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Id(u64);

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(
    consumer = Chat, permission = AllowAny, publish = members, events(Unit, Shape, Never, Generic<Id, 3>), name = "room"
)]
struct Room {
    r#type: Id,
}

/// Its key cannot be serialized.
#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(
    consumer = Chat, permission = AllowAny, publish = members, events(Unit, Local, LocalGeneric<fn()>), name = "local", local
)]
struct LocalRoom(&'static str, Instant);

struct Chat;

#[consumer]
impl Chat {
    #[event(permission = AllowAny)]
    fn unit(_: &Unit) -> u32 {
        5
    }

    #[event(permission = AllowAny)]
    fn local(event: &Local) -> &str {
        match event {
            Local::Sender(_) => "sender",
            Local::Text { text } => text,
        }
    }

    #[event(permission = AllowAny)]
    fn never(event: &Never) -> u32 {
        match *event {}
    }

    #[event(permission = AllowAny)]
    fn shape(event: &Shape) -> &Shape {
        event
    }

    #[event(permission = AllowAny)]
    fn generic(event: &Generic<Id, 3>) -> &[Id] {
        &event.values
    }

    #[event(permission = AllowAny)]
    fn local_generic(event: &LocalGeneric<fn()>) -> u32 {
        (event.0)();
        5
    }
}

/// Any event that may leave its machine can be published to a user.
fn publish_all<E: DistributedEvent>(publisher: &Publisher<Chat>, events: Vec<E>)
where
    Chat: portcullis::__private::Emits<E>,
{
    for event in events {
        publisher.publish_to_user("7", event);
    }
}

fn main() {
    let publisher = portcullis::websocket(Chat).publisher();
    let (sender, _receiver) = std::sync::mpsc::sync_channel(1);
    publisher.publish(&LocalRoom("a", Instant::now()), Local::Sender(sender));
    publisher.publish(&LocalRoom("a", Instant::now()), Local::Text { text: "a" });
    publisher.publish(&LocalRoom("a", Instant::now()), LocalGeneric(main as fn()));
    publisher.publish(&Room { r#type: Id(5) }, Shape::Unit);
    publish_all(&publisher, vec![Shape::Struct { r#type: vec![None], marker: PhantomData }]);
    publish_all(&publisher, vec![Generic::<Id, 3> { values: vec![Id(1)] }]);
    publish_all(&publisher, Vec::<Never>::new());
}
