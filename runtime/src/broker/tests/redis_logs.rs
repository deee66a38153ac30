//! What only Redis does to logs.

use std::iter::repeat_n;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use redis::aio::MultiplexedConnection;
use redis::{RedisResult, cmd};
use tokio::time::{Instant, sleep};

use super::super::{Channel, LogId, OpenLink, RedisBroker};
use super::channel;
use super::log_outages::{append, subscribed};
use super::logs::{end, following, is_refused, log, next};
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
    let log = LogId::new("Room", b"1", 100, Duration::from_secs(1));
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

/// What a link receives and what it reads are limited by the server apart from each other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_reads_do_not_lose_the_link() {
    const MESSAGE_BYTES: usize = 500 * 1024;
    let Some(mut server) = Server::prepare(Program::Redis) else { return };
    server.run(&["--client-output-buffer-limit", "pubsub", "1mb", "0", "0"]).await;
    let log = log("1");
    let (link, mut reports) = subscribed(&server, &log).await;
    let start = end(&link, &log).await;
    for number in 0..5 {
        assert!(link.append(&log, repeat_n(number, MESSAGE_BYTES).collect()));
        next(&mut reports, &log).await;
    }
    let reads = join_all((0..32).map(|_| following(&link, &log, start))).await;
    assert!(reads.iter().flatten().all(|(_, message)| message.len() == MESSAGE_BYTES));
    assert_eq!(reads.iter().flatten().count(), 32 * 5);
    // Without a loss.
    append(&link, &mut reports, &log, "one").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connection_for_reads_that_the_server_closes_is_replaced() {
    let Some(server) = Server::start(Program::Redis).await else { return };
    let log = log("1");
    let (link, mut reports) = subscribed(&server, &log).await;
    let mut admin = admin(&server).await;
    for _ in 0..3 {
        let start = end(&link, &log).await;
        let killed: u32 = cmd("CLIENT").arg(&["KILL", "TYPE", "normal"]).query_async(&mut admin).await.unwrap();
        assert_eq!(killed, 1);
        assert_eq!(following(&link, &log, start).await, []);
        cmd("CLIENT").arg(&["KILL", "TYPE", "normal"]).exec_async(&mut admin).await.unwrap();
        link.purge_log(log).await.unwrap();
        append(&link, &mut reports, &log, "one").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn read_that_takes_too_long_does_not_lose_the_link() {
    let Some(server) = Server::start(Program::Redis).await else { return };
    let log = log("1");
    let (link, mut reports) = subscribed(&server, &log).await;
    let mut admin = admin(&server).await;
    let start = end(&link, &log).await;
    // Heartbeats go on.
    cmd("CLIENT").arg(&["PAUSE", "60000", "WRITE"]).exec_async(&mut admin).await.unwrap();
    let (read, purge) = tokio::join!(link.read_log(log, Some(start)), link.purge_log(log));
    assert_eq!(read.unwrap_err().status(), 503);
    assert_eq!(purge.unwrap_err().status(), 503);
    cmd("CLIENT").arg("UNPAUSE").exec_async(&mut admin).await.unwrap();
    // The server has closed the connection, after what it had received by it.
    let closed_by = Instant::now() + Duration::from_secs(10);
    while client_count(&mut admin, "normal").await > 1 {
        assert!(Instant::now() < closed_by);
        sleep(Duration::from_millis(5)).await;
    }
    let start = end(&link, &log).await;
    let logged = append(&link, &mut reports, &log, "one").await;
    assert_eq!(following(&link, &log, start).await, [logged]);
    assert_eq!(client_count(&mut admin, "normal").await, 2);
}

/// The number of connections of a class, as the server counts them.
async fn client_count(admin: &mut MultiplexedConnection, class: &str) -> usize {
    let list: String = cmd("CLIENT").arg(&["LIST", "TYPE", class]).query_async(admin).await.unwrap();
    list.lines().count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_expire_while_the_log_is_read() {
    let Some(server) = Server::start(Program::Redis).await else { return };
    let log = LogId::new("Room", b"1", 100, Duration::from_secs(1));
    let (link, mut reports) = subscribed(&server, &log).await;
    let position = append(&link, &mut reports, &log, "one").await.0;
    let started_at = Instant::now();
    while started_at.elapsed() < Duration::from_secs(2) {
        assert_eq!(following(&link, &log, position).await, []);
        sleep(Duration::from_millis(100)).await;
    }
    let keys: Vec<String> = cmd("KEYS").arg("*").query_async(&mut admin(&server).await).await.unwrap();
    assert_eq!(keys, [format!("test:chat:log:{{{}}}:state", log.name())]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn append_to_a_server_without_a_run_id_is_reported() {
    let Some(mut server) = Server::prepare(Program::Redis) else { return };
    // Such a server replies to INFO with the name of the section.
    server.run(&["--rename-command", "INFO", "REAL_INFO", "--rename-command", "ECHO", "INFO"]).await;
    let log = log("1");
    let (link, mut reports) = subscribed(&server, &log).await;
    link.subscribe(channel(1));
    reports.subscribed([channel(1)]).await;
    for _ in 0..3 {
        assert!(link.append(&log, Bytes::from_static(b"refused")));
        assert_eq!(reports.next().await, Report::Overflowed(Channel::History(log.partition)));
        assert!(link.publish(channel(1), Bytes::from_static(b"published")));
        assert_eq!(reports.message().await, (channel(1), Bytes::from_static(b"published")));
        assert_eq!(link.read_log(log, None).await.unwrap_err().status(), 503);
    }
}

/// A primary hands out positions that its replica never has. The replica takes over, and the primary returns with the data of
/// the replica, while its process and the link's connection to it go on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn primary_that_takes_over_again_gives_no_position_twice() {
    let (Some(mut primary), Some(mut replica)) = (Server::prepare(Program::Redis), Server::prepare(Program::Redis))
    else {
        return;
    };
    for server in [&mut primary, &mut replica] {
        server.run(&["--repl-diskless-sync-delay", "0"]).await;
    }
    let (mut primary_admin, mut replica_admin) = (admin(&primary).await, admin(&replica).await);
    follow(&mut replica_admin, &primary).await;
    let log = log("1");
    let (link, mut reports) = subscribed(&primary, &log).await;
    let start = append(&link, &mut reports, &log, "one").await.0;
    for is_append_refused in [false, true] {
        append(&link, &mut reports, &log, "two").await;
        cmd("WAIT").arg(&[1, 10_000]).exec_async(&mut primary_admin).await.unwrap();
        lead(&mut replica_admin).await;
        let unreplicated = append(&link, &mut reports, &log, "three").await.0;
        follow(&mut primary_admin, &replica).await;
        if is_append_refused {
            assert!(link.append(&log, Bytes::from_static(b"refused")));
            assert_eq!(reports.next().await, Report::Overflowed(Channel::History(log.partition)));
        }
        lead(&mut primary_admin).await;
        let position = append(&link, &mut reports, &log, "four").await.0;
        assert_ne!(position, unreplicated);
        for refused in [start, unreplicated] {
            assert!(is_refused(&link, &log, refused).await, "{refused:?}");
        }
        assert_eq!(following(&link, &log, position).await, []);
        follow(&mut replica_admin, &primary).await;
    }
}

/// Makes a server the replica of another one, and waits until it has the data of it.
async fn follow(admin: &mut MultiplexedConnection, primary: &Server) {
    cmd("REPLICAOF").arg("127.0.0.1").arg(primary.port()).exec_async(admin).await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let info: RedisResult<String> = cmd("INFO").arg("replication").query_async(admin).await;
        if info.is_ok_and(|info| info.contains("master_link_status:up")) {
            return;
        }
        assert!(Instant::now() < deadline);
        sleep(Duration::from_millis(5)).await;
    }
}

async fn lead(admin: &mut MultiplexedConnection) {
    cmd("REPLICAOF").arg(&["NO", "ONE"]).exec_async(admin).await.unwrap();
}
