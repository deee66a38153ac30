//! What only Redis does to logs.

use std::time::Duration;

use bytes::Bytes;
use redis::cmd;
use tokio::time::{Instant, sleep};

use super::super::{Channel, LogId, OpenLink, RedisBroker};
use super::channel;
use super::log_outages::{append, subscribed};
use super::logs::{end, following, is_refused, log};
use super::recorder::{Report, recorder};
use super::redis::admin;
use super::server::{Program, Server};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn server_that_is_emptied_starts_logs_anew() {
    let Some(server) = Server::start(Program::Redis).await else { return };
    let log = log("1");
    let (link, mut reports) = subscribed(&server, &log).await;
    let mut admin = admin(&server).await;
    let mut positions = vec![end(&link, &log).await];
    for _ in 0..3 {
        positions.push(append(&link, &mut reports, &log, "one").await.0);
        cmd("FLUSHALL").exec_async(&mut admin).await.unwrap();
        let logged = append(&link, &mut reports, &log, "two").await;
        for position in &positions {
            assert!(is_refused(&link, &log, *position).await, "{position:?}");
        }
        assert_eq!(following(&link, &log, logged.0).await, []);
        positions.push(logged.0);
    }
    // A key alone may be evicted.
    let keys: Vec<String> = cmd("KEYS").arg("*").query_async(&mut admin).await.unwrap();
    assert_eq!(keys.len(), 2);
    for key in keys {
        let position = append(&link, &mut reports, &log, "three").await.0;
        cmd("DEL").arg(&key).exec_async(&mut admin).await.unwrap();
        append(&link, &mut reports, &log, "four").await;
        let contents = link.read_log(log, Some(position)).await.unwrap();
        assert!(contents.messages.is_none_or(|messages| messages.len() == 1), "{key}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn server_that_forgets_scripts_appends() {
    let Some(server) = Server::start(Program::Redis).await else { return };
    let log = log("1");
    let (link, mut reports) = subscribed(&server, &log).await;
    let mut admin = admin(&server).await;
    for _ in 0..3 {
        append(&link, &mut reports, &log, "one").await;
        cmd("SCRIPT").arg("FLUSH").exec_async(&mut admin).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn expired_messages_are_removed_by_the_next_ones() {
    let Some(server) = Server::start(Program::Redis).await else { return };
    let log = LogId::new("tests::Room", "Room", b"1", 100, Duration::from_secs(1));
    let (link, mut reports) = subscribed(&server, &log).await;
    let mut admin = admin(&server).await;
    for _ in 0..50 {
        append(&link, &mut reports, &log, "old").await;
    }
    // Longer than the log would be kept if nothing was appended to it.
    let started_at = Instant::now();
    while started_at.elapsed() < Duration::from_secs(2) {
        append(&link, &mut reports, &log, "new").await;
        sleep(Duration::from_millis(20)).await;
    }
    let key = format!("test:chat:log:{{{}}}", log.name());
    let count: u32 = cmd("XLEN").arg(&key).query_async(&mut admin).await.unwrap();
    assert!(count < 60, "{count}");
    for key in [key.clone(), format!("{key}:state")] {
        let left: u64 = cmd("PTTL").arg(&key).query_async(&mut admin).await.unwrap();
        assert!((1..=1000).contains(&left), "{left}");
    }
}

/// A link whose appends the server refuses passes on what is published, and reports what was dropped.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn append_that_the_server_refuses_is_reported() {
    let Some(server) = Server::start(Program::Redis).await else { return };
    let mut admin = admin(&server).await;
    for (limits, memory) in [("-info", "0"), ("-eval", "0"), ("+@all", "1")] {
        let user = ["SETUSER", "limited", "reset", "on", ">secret", "~*", "&*", "+@all", limits];
        cmd("ACL").arg(&user).exec_async(&mut admin).await.unwrap();
        cmd("CONFIG").arg(&["SET", "maxmemory", memory]).exec_async(&mut admin).await.unwrap();
        let url = server.url().replace("redis://", "redis://limited:secret@");
        let (receiver, mut reports) = recorder();
        let link = RedisBroker::new(&url, "test").unwrap().open("chat", receiver);
        let log = log("1");
        let channels = [channel(1), Channel::History(log.partition)];
        for channel in channels {
            link.subscribe(channel);
        }
        reports.subscribed(channels).await;
        for _ in 0..2 {
            assert!(link.append(&log, Bytes::from_static(b"refused")));
            assert_eq!(reports.next().await, Report::Overflowed(channels[1]));
            assert!(link.publish(channel(1), Bytes::from_static(b"published")));
            assert_eq!(reports.message().await, (channel(1), Bytes::from_static(b"published")));
        }
        // Reading needs no memory, because the log is there by then.
        assert_eq!(link.read_log(log, None).await.is_err(), memory == "0");
        cmd("CONFIG").arg(&["SET", "maxmemory", "0"]).exec_async(&mut admin).await.unwrap();
        cmd("ACL").arg(&["SETUSER", "limited", "+@all"]).exec_async(&mut admin).await.unwrap();
        append(&link, &mut reports, &log, "accepted").await;
    }
}
