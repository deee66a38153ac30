//! What purging a log does, with any broker.

use bytes::Bytes;

use super::logs::{append, end, following, is_refused, log, next, subscribed};
use super::service::{Service, conformance_tests};

conformance_tests! {
    position_from_before_a_purge_is_refused
    purge_follows_the_messages_before_it
}

async fn position_from_before_a_purge_is_refused(service: &Service) {
    let log = log("1");
    let (link, mut reports) = subscribed(service, &log).await;
    let mut positions = vec![end(&link, &log).await];
    for round in 0..3 {
        positions
            .extend(append(&link, &mut reports, &log, 0..round * 2).await.into_iter().map(|(position, _)| position));
        positions.push(end(&link, &log).await);
        link.purge_log(log).await.unwrap();
        let start = end(&link, &log).await;
        for position in &positions {
            assert!(is_refused(&link, &log, *position).await, "{position:?}");
        }
        let logged = append(&link, &mut reports, &log, 20..23).await;
        for position in &positions {
            assert!(is_refused(&link, &log, *position).await, "{position:?}");
        }
        assert_eq!(following(&link, &log, start).await, logged);
        // A purged log may be purged again.
        link.purge_log(log).await.unwrap();
        link.purge_log(log).await.unwrap();
        positions.push(start);
        positions.extend(logged.into_iter().map(|(position, _)| position));
    }
}

async fn purge_follows_the_messages_before_it(service: &Service) {
    let log = log("1");
    let (link, mut reports) = subscribed(service, &log).await;
    // Two messages are in one batch, the others in several.
    for count in [2, 2, 2, 300] {
        let mut positions = vec![end(&link, &log).await];
        for _ in 0..count {
            assert!(link.append(&log, Bytes::from_static(b"before")));
        }
        link.purge_log(log).await.unwrap();
        for _ in 0..count {
            positions.push(next(&mut reports, &log).await.0);
        }
        for position in positions {
            assert!(is_refused(&link, &log, position).await, "{position:?}");
        }
        let start = end(&link, &log).await;
        assert_eq!(following(&link, &log, start).await, []);
        let logged = append(&link, &mut reports, &log, 0..1).await;
        assert_eq!(following(&link, &log, start).await, logged);
    }
}
