//! What the links to servers do with reads of logs.

use std::iter::repeat_n;

use super::super::event_log::MAX_READ_BYTES;
use super::log_outages::subscribed;
use super::logs::{end, following, log, next, read};
use super::outages::outage_tests;
use super::server::Server;

outage_tests! {
    read_of_too_many_bytes_is_refused
}

async fn read_of_too_many_bytes_is_refused(mut server: Server) {
    server.run_with_logs().await;
    let log = log("1");
    let (link, mut reports) = subscribed(&server, &log).await;
    let start = end(&link, &log).await;
    let mut logged = Vec::new();
    for number in 0..17 {
        assert!(link.append(&log, repeat_n(number, MAX_READ_BYTES / 16).collect()));
        logged.push(next(&mut reports, &log).await);
    }
    let contents = read(&link, &log, start).await;
    assert_eq!((contents.end, contents.messages), (logged[16].0, None));
    assert!(following(&link, &log, logged[0].0).await == logged[1..]);
}
