//! A long history is replayed to a client that reads slowly, over a socket.

use portcullis::{Limits, OverflowPolicy};
use tokio::io::AsyncWriteExt;

use super::*;
use crate::common::{clients, raw_socket};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_history_reaches_a_client_that_reads_slowly_whatever_the_policy() {
    const COUNT: usize = 2_000;
    for policy in [OverflowPolicy::Close, OverflowPolicy::DropOldest, OverflowPolicy::KeepNewest] {
        let limits = Limits { max_queued_events: 8, ..Limits::default() };
        let endpoint = endpoint().limits(limits).overflow_policy(policy);
        let endpoint = endpoint.authenticate(|_: &http::request::Parts| std::future::ready(Ok(Some(member(1, &[])))));
        let mut first = open(&endpoint, 1).await;
        let position = first.call("read").with("archive", 5).await.data()["position"].clone();
        drop(first);
        let padding = "x".repeat(2_000);
        for number in 0..COUNT {
            let text = format!("{number} {padding}");
            endpoint.publisher().publish(&Archive(5), Said { text, is_secret: false });
        }
        let address = clients::serve(endpoint.clone()).await;
        let mut socket = raw_socket::connect(&address).await;
        let request = serde_json::json!({ "action": "read", "archive": 5, "position": position }).to_string();
        socket.write_all(&raw_socket::frame(&request)).await.unwrap();
        let (_, reply) = raw_socket::read_frame(&mut socket).await.unwrap();
        let reply: Value = serde_json::from_slice(&reply).unwrap();
        assert_eq!(reply["data"]["recovered"], true);
        // Far more than the socket and the queue hold. What is published now comes last, and fits the queue.
        endpoint.publisher().publish(&Archive(5), Said { text: "live".to_owned(), is_secret: false });
        for number in (0..COUNT).map(|number| number.to_string()).chain(["live".to_owned()]) {
            let (_, event) = raw_socket::read_frame(&mut socket).await.unwrap();
            let event: Value = serde_json::from_slice(&event).unwrap();
            assert_eq!(event["data"].as_str().unwrap().split(' ').next(), Some(&*number), "{policy:?}");
        }
    }
}

#[tokio::test]
async fn history_that_is_too_large_to_wait_for_a_client_is_not_replayed() {
    let endpoint = endpoint();
    let mut first = open(&endpoint, 1).await;
    let read = async |client: &mut Client, position: &Value| {
        client.call("read").with("archive", 5).with("position", position).await.data().clone()
    };
    let position = read(&mut first, &Value::Null).await["position"].clone();
    drop(first);
    let publish = |number: usize| {
        let text = format!("{number} {}", "x".repeat(4_000));
        endpoint.publisher().publish(&Archive(5), Said { text, is_secret: false });
    };
    // 6 MB.
    (0..1_500).for_each(publish);
    assert_eq!(read(&mut open(&endpoint, 1).await, &position).await["recovered"], true);
    // 12 MB.
    (1_500..3_000).for_each(publish);
    assert_eq!(read(&mut open(&endpoint, 1).await, &position).await["recovered"], false);
}
