//! A member that reads nothing, beside members of the same group that read everything.

use portcullis::{DisconnectReason, OverflowPolicy};

use super::page_feed::{Member, Page, Readers, Server};
use crate::common::raw_socket;

const PAGES: usize = 160;
/// More of these pages than the queue holds do not fit into the buffers of a socket.
const PAGE_BYTES: usize = 128 * 1024;

/// Publishes the pages. Each attentive member receives every one, in order.
async fn publish_to(server: &Server, attentive: &mut [Member]) {
    for number in 0..PAGES {
        server.publisher.publish(&Readers, Page(number, PAGE_BYTES));
        for member in &mut *attentive {
            member.expect_pages([number]).await;
        }
    }
}

#[tokio::test]
async fn stuck_reader_under_close_policy_is_closed_as_too_slow_beside_attentive_readers() {
    let mut server = Server::new(16, OverflowPolicy::Close);
    let address = server.serve().await;
    let mut attentive = [Member::open(&address).await, Member::open(&address).await, Member::open(&address).await];
    let mut stuck = Member::open(&address).await;
    publish_to(&server, &mut attentive).await;
    let DisconnectReason::Closed { code, .. } = server.ended().await else { panic!("the connection is lost") };
    assert_eq!((code, server.members(), server.publisher.counters().too_slow), (1013, 3, 1));
    // What it has not read is a gapless prefix, of which the last frame may be cut off.
    let mut number = 0;
    while let Ok((first, text)) = raw_socket::read_frame(&mut stuck.0).await {
        if first == 0x88 {
            break;
        }
        assert_eq!(super::page_feed::page_number(std::str::from_utf8(&text).unwrap()), Some(number));
        number += 1;
    }
    assert!(number < PAGES);
    publish_to(&server, &mut attentive).await;
}

#[tokio::test]
async fn stuck_reader_under_drop_oldest_receives_the_newest_beside_attentive_readers() {
    let mut server = Server::new(16, OverflowPolicy::DropOldest);
    let address = server.serve().await;
    let mut attentive = [Member::open(&address).await, Member::open(&address).await, Member::open(&address).await];
    let mut stuck = Member::open(&address).await;
    publish_to(&server, &mut attentive).await;
    assert_eq!((server.members(), server.take_ended()), (4, 0), "no connection is closed");
    let mut numbers = vec![stuck.next_page().await];
    while *numbers.last().unwrap() < PAGES - 1 {
        numbers.push(stuck.next_page().await);
    }
    assert!(numbers.windows(2).all(|two| two[0] < two[1]), "out of order: {numbers:?}");
    assert!(numbers.ends_with(&(PAGES - 16..PAGES).collect::<Vec<_>>()), "the newest arrive: {numbers:?}");
    assert_eq!(server.publisher.counters().dropped, (PAGES - numbers.len()) as u64);
    // It is an attentive reader from now on.
    let mut all: Vec<Member> = attentive.into_iter().chain([stuck]).collect();
    publish_to(&server, &mut all).await;
}
