//! What purging a log does, with any broker.

use super::logs::{append, end, following, is_refused, log, subscribed};
use super::service::{Service, conformance_tests};

conformance_tests! {
    position_from_before_a_purge_is_refused
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
