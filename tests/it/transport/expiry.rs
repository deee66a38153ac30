//! Credentials that expire within a burst of events.

use std::time::Duration;

use portcullis::{DisconnectReason, OverflowPolicy};
use tokio::time;

use super::page_feed::{Member, Page, Readers, Server};
use crate::common::raw_socket;

#[tokio::test]
async fn connection_that_expires_within_a_burst_receives_nothing_after_its_expiry() {
    let mut server = Server::new(256, OverflowPolicy::Close);
    let address = server.serve().await;
    let mut others = [Member::open(&address).await, Member::open(&address).await];
    let query = "?expires=3600";
    let mut expiring = [
        Member::joined(raw_socket::connect_with(&address, query).await).await,
        Member::joined(raw_socket::connect_with(&address, query).await).await,
    ];
    let publish = |numbers: std::ops::Range<usize>| {
        for number in numbers {
            server.publisher.publish(&Readers, Page(number, 1000));
        }
    };
    publish(0..50);
    for member in others.iter_mut().chain(&mut expiring) {
        member.expect_pages(0..50).await;
    }
    // On one thread, no connection runs before the clock is advanced.
    publish(50..100);
    time::pause();
    time::advance(Duration::from_secs(3601)).await;
    time::resume();
    publish(100..150);
    for member in &mut expiring {
        let (first, payload) = raw_socket::read_frame(&mut member.0).await.unwrap();
        assert_eq!((first, &payload[..]), (0x88, &b"\x11\x31credentials expired"[..]));
    }
    publish(150..200);
    for member in &mut others {
        member.expect_pages(50..200).await;
    }
    for _ in &expiring {
        let DisconnectReason::Closed { code, .. } = server.ended().await else { panic!("the connection is lost") };
        assert_eq!(code, 4401);
    }
    assert_eq!(server.members(), others.len());
    for member in &mut expiring {
        assert!(raw_socket::read_frame(&mut member.0).await.is_err(), "a frame after the close frame");
    }
}
