//! Tickets in Redis. The server is that of the variable `REDIS_URL`, or the one at the usual port of this machine.
//! Without a server these tests do nothing, except that they fail where the variable `CI` is set.

use std::io::Write as _;
use std::time::Duration;

use portcullis::{LoginId, RedisTicketStore, Ticket};
use redis::{FromRedisValue, ToRedisArgs};
use tokio::net::TcpListener;
use tokio::time::Instant;

use super::{assert_opens, desk, guest, issue, open, request, tickets};

fn url() -> String {
    std::env::var("REDIS_URL").unwrap_or_else(|_| "redis://127.0.0.1:6379".to_owned())
}

async fn run<T: FromRedisValue>(arguments: &[impl ToRedisArgs]) -> redis::RedisResult<T> {
    let mut connection = redis::Client::open(url())?.get_multiplexed_async_connection().await?;
    let mut command = redis::Cmd::new();
    command.arg(arguments);
    command.query_async(&mut connection).await
}

/// Returns a store with a prefix of its own, and the prefix. `None` if there is no server.
pub(super) async fn redis_store() -> Option<(RedisTicketStore, String)> {
    if let Err(error) = run::<String>(&["PING"]).await {
        assert!(std::env::var_os("CI").is_none(), "there is no Redis at {}: {error}", url());
        // Not by `eprintln!`, which the test harness hides, and in one write.
        let text = format!("\n*** SKIPPED: there is no Redis at {}: {error} ***\n", url());
        let _ = std::io::stderr().write_all(text.as_bytes());
        return None;
    }
    let prefix = format!("portcullis-test-{:032x}", rand_u128());
    Some((RedisTicketStore::new(&url(), &prefix).unwrap(), prefix))
}

/// Returns a number that differs in each run.
fn rand_u128() -> u128 {
    use std::hash::{BuildHasher, RandomState};
    let half = || u128::from(RandomState::new().hash_one(std::process::id()));
    half() << 64 | half()
}

/// Returns the keys below a prefix.
async fn keys(pattern: &str) -> Vec<String> {
    run(&["KEYS", pattern]).await.unwrap()
}

/// Lets the tickets below a prefix expire.
pub(super) async fn expire_tickets(prefix: &str) {
    let keys = keys(&format!("{prefix}:ticket:*")).await;
    assert!(!keys.is_empty());
    for key in keys {
        assert_eq!(run::<u32>(&["PEXPIRE", &key, "0"]).await.unwrap(), 1);
    }
}

#[tokio::test]
async fn processes_that_share_a_server_share_tickets_and_voided_logins() {
    let Some((store, prefix)) = redis_store().await else { return };
    let (first, second) = (tickets(store), tickets(RedisTicketStore::new(&url(), &prefix).unwrap()));
    let (first_desk, second_desk) = (desk(&first), desk(&second));
    let ticket = issue(&first_desk, 7, "a").await;
    assert_opens(&second_desk, &ticket, 7).await;
    assert_eq!(open(&first_desk, &ticket).await.unwrap_err().status(), 401);

    let (voided, other) = (issue(&first_desk, 7, "a").await, issue(&first_desk, 7, "b").await);
    second.void_login(&LoginId::new("a")).await.unwrap();
    // As a request does that was in progress.
    let later = issue(&first_desk, 7, "a").await;
    for ticket in [voided, later] {
        assert_eq!(open(&first_desk, &ticket).await.unwrap_err().status(), 401);
    }
    assert_opens(&first_desk, &other, 7).await;
}

#[tokio::test]
async fn ticket_of_another_prefix_is_refused() {
    let (Some((store, _)), Some((other, _))) = (redis_store().await, redis_store().await) else { return };
    let (store, other) = (desk(&tickets(store)), desk(&tickets(other)));
    let ticket = issue(&store, 7, "a").await;
    assert_eq!(open(&other, &ticket).await.unwrap_err().status(), 401);
    assert_opens(&store, &ticket, 7).await;
}

#[tokio::test]
async fn server_holds_hashes_that_expire() {
    let Some((store, prefix)) = redis_store().await else { return };
    let tickets = tickets(store);
    let desk = desk(&tickets);
    let ticket = issue(&desk, 7, "secret-cookie").await;
    tickets.void_login(&LoginId::new("other-cookie")).await.unwrap();
    let keys = keys(&format!("{prefix}:*")).await;
    assert_eq!(keys.len(), 3, "{keys:?}");
    for key in &keys {
        let (lifetime, longest): (u64, Duration) = (
            run(&["PTTL", key]).await.unwrap(),
            if key.contains(":void:") { LoginId::VOID_LIFETIME } else { Ticket::LIFETIME },
        );
        assert!(u128::from(lifetime) <= longest.as_millis() && lifetime > 0, "{key}: {lifetime}");
        let value: String = if key.contains(":user:") {
            run::<Vec<String>>(&["LRANGE", key, "0", "-1"]).await.unwrap().concat()
        } else {
            run(&["GET", key]).await.unwrap()
        };
        for secret in [&*ticket, "cookie"] {
            assert!(!key.contains(secret) && !value.contains(secret), "{key}: {value}");
        }
    }
}

#[tokio::test]
async fn flood_of_one_user_leaves_as_many_tickets_as_the_cap() {
    let Some((store, prefix)) = redis_store().await else { return };
    let desk = desk(&tickets(store));
    let mut issued = Vec::new();
    for _ in 0..20 {
        issued.push(issue(&desk, 7, "a").await);
    }
    assert_eq!(keys(&format!("{prefix}:ticket:*")).await.len(), 3);
    let mut opened = 0;
    for ticket in &issued {
        opened += usize::from(open(&desk, ticket).await.is_ok());
    }
    assert_eq!((opened, keys(&format!("{prefix}:*")).await.len()), (3, 0));
}

/// As after a crash, or if a ticket is stored after others have pushed it out.
#[tokio::test]
async fn ticket_that_is_not_in_the_list_of_its_user_is_refused() {
    let Some((store, prefix)) = redis_store().await else { return };
    let desk = desk(&tickets(store));
    let (first, second) = (issue(&desk, 7, "a").await, issue(&desk, 7, "a").await);
    let lists = keys(&format!("{prefix}:user:*")).await;
    // The newest comes first.
    assert_eq!(run::<String>(&["LTRIM", &lists[0], "0", "0"]).await.unwrap(), "OK");
    assert_eq!(open(&desk, &first).await.unwrap_err().status(), 401);
    assert_opens(&desk, &second, 7).await;
}

/// Asserts that a server opens no connection, and how long that may take.
async fn assert_no_door_opens(url: &str, limit: Duration) {
    let tickets = tickets(RedisTicketStore::new(url, "test").unwrap());
    let (desk, start) = (desk(&tickets), Instant::now());
    let ticket = "0".repeat(64);
    let login = LoginId::new("a");
    let guest = guest(7);
    let request = request();
    let (opened, issued, voided) =
        tokio::join!(open(&desk, &ticket), desk.issue_ticket(&request, &guest, &login), tickets.void_login(&login));
    assert_eq!(opened.unwrap_err().status(), 500);
    assert!(issued.unwrap_err().is_fault() && voided.unwrap_err().is_fault());
    assert!(start.elapsed() < limit, "{:?}", start.elapsed());
}

#[tokio::test]
async fn server_that_cannot_be_reached_opens_no_door() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    assert_no_door_opens(&format!("redis://{address}"), Duration::from_secs(20)).await;
}

#[tokio::test]
async fn server_that_does_not_answer_opens_no_door() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    assert_no_door_opens(&format!("redis://{address}"), Duration::from_secs(20)).await;
    drop(listener);
}

#[tokio::test]
async fn invalid_url_is_a_fault_without_the_url() {
    let error = RedisTicketStore::new("redis://:secret-password@[", "test").unwrap_err();
    assert!(error.is_fault() && !format!("{error} {error:?}").contains("secret-password"), "{error:?}");
}
