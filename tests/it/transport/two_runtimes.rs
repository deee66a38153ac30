//! One endpoint, served by two servers on two runtimes. Its members are on both.

use std::sync::mpsc;
use std::thread;

use portcullis::{Endpoint, OverflowPolicy};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

use super::page_feed::{Member, Page, PageFeed, Readers, Server};
use crate::common::{clients, raw_socket};

/// A server on a runtime of its own.
struct RuntimeThread {
    address: String,
    stop: oneshot::Sender<()>,
    thread: thread::JoinHandle<()>,
}

impl RuntimeThread {
    fn start(endpoint: Endpoint<PageFeed>, build: fn() -> Runtime) -> RuntimeThread {
        let (sender, address) = mpsc::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = thread::spawn(move || {
            let runtime = build();
            runtime.block_on(async {
                sender.send(clients::serve(endpoint).await).unwrap();
                let _ = stopped.await;
            });
            // The runtime is dropped with its connections, whatever they are doing.
        });
        RuntimeThread { address: address.recv().unwrap(), stop, thread }
    }

    fn stop(self) {
        self.stop.send(()).unwrap();
        self.thread.join().unwrap();
    }
}

fn one_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn two_threads() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

const PAGES: usize = 3000;

/// Receives every page in order.
async fn receive_all(mut member: Member) {
    member.expect_pages(0..PAGES).await;
}

/// Receives pages in order until the connection is lost. Returns how many.
async fn receive_until_lost(mut member: Member) -> usize {
    let mut count = 0;
    while let Ok((_, text)) = raw_socket::read_frame(&mut member.0).await {
        assert_eq!(super::page_feed::page_number(std::str::from_utf8(&text).unwrap()), Some(count));
        count += 1;
    }
    count
}

#[tokio::test]
async fn members_on_a_runtime_miss_nothing_when_another_runtime_of_the_endpoint_is_dropped() {
    for (stopping, staying) in
        [(one_thread as fn() -> Runtime, two_threads as fn() -> Runtime), (two_threads, one_thread)]
    {
        let mut server = Server::new(256, OverflowPolicy::Close);
        let stopping = RuntimeThread::start(server.endpoint.clone(), stopping);
        let staying = RuntimeThread::start(server.endpoint.clone(), staying);
        let (mut lost, mut kept) = (Vec::new(), Vec::new());
        for _ in 0..4 {
            lost.push(tokio::spawn(receive_until_lost(Member::open(&stopping.address).await)));
            kept.push(tokio::spawn(receive_all(Member::open(&staying.address).await)));
        }
        assert_eq!(server.members(), 8);
        let mut stopping = Some(stopping);
        for number in 0..PAGES {
            server.publisher.ready().await;
            server.publisher.publish(&Readers, Page(number, 200));
            // The clients read on this thread.
            tokio::task::yield_now().await;
            if number == PAGES / 3
                && let Some(stopping) = stopping.take()
            {
                // While more is published.
                thread::spawn(|| stopping.stop());
            }
        }
        for member in lost {
            assert!(member.await.unwrap() <= PAGES);
        }
        for member in kept {
            member.await.unwrap();
        }
        // Their clients have ended the connections of the other runtime.
        for _ in 0..4 {
            server.ended().await;
        }
        assert_eq!(server.members(), 0);
        assert_eq!(server.publisher.counters().too_slow, 0);

        let mut fresh = Member::open(&staying.address).await;
        assert!(server.endpoint.connections().refresh_all().revalidated().await.is_acknowledged());
        server.publisher.publish(&Readers, Page(7, 200));
        fresh.expect_pages([7]).await;
        assert_eq!(server.members(), 1);
        staying.stop();
        assert_eq!(server.members(), 0, "the connections of a dropped runtime are no members");
    }
}
