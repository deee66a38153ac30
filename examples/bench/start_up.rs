//! The start-up check: both servers do the same, with identical bytes.

use std::io;

use super::load::{Connection, NotOpen};
use super::server::Server;
use super::world::MEMBERS;

/// Checks that both servers reply to members, refuse outsiders, reject unknown tokens and deliver events with identical
/// bytes.
pub(crate) async fn check(servers: [&Server; 2]) -> io::Result<()> {
    let mut sent = Vec::new();
    for server in servers {
        sent.push(collect_replies(server).await? + &collect_events(server).await?);
    }
    if sent[0] != sent[1] {
        return Err(io::Error::other(format!("the servers reply differently:\n{}\n{}", sent[0], sent[1])));
    }
    Ok(())
}

/// The replies of a server to a member, an outsider and an unknown token.
async fn collect_replies(server: &Server) -> io::Result<String> {
    const ROUTED: &str = r#"{"action":"send_message","route":"rooms/5/","request_id":7,"text":"hi"}"#;
    const NAMED: &str = r#"{"action":"send_message","route":"chat","request_id":8,"room_id":5,"text":"hi"}"#;
    let mut replies = String::new();
    for (user, status) in [(7, 200), (MEMBERS, 403)] {
        let mut connection = Connection::open(server.address, user).await?;
        for message in [ROUTED, NAMED] {
            let reply = connection.call(message).await?;
            if !reply.contains(&format!(r#""status":{status},"#)) {
                return Err(io::Error::other(format!("user {user} should get status {status}, but got {reply}")));
            }
            replies = replies + &reply + "\n";
        }
    }
    match Connection::open(server.address, u32::MAX).await {
        Err(NotOpen::Refused(status)) => Ok(format!("{replies}{status}\n")),
        Err(NotOpen::Broken(error)) => Err(error),
        Ok(_) => Err(io::Error::other("an unknown token was let in")),
    }
}

/// What a server sends to a publisher, to two members of a room, and to an outsider. The first event is for one member only.
async fn collect_events(server: &Server) -> io::Result<String> {
    const JOIN: &str = r#"{"action":"join","route":"rooms/5/","request_id":1}"#;
    const SOME: &str = r#"{"action":"publish","route":"rooms/5/","request_id":2,"text":"to some","min_level":5}"#;
    const ALL: &str = r#"{"action":"publish","route":"rooms/5/","request_id":3,"text":"to \"all\""}"#;
    let [publisher, low, high, outsider] = [0, 1, 2, 3];
    let mut connections = Vec::new();
    for user in [0, 4, 17, MEMBERS] {
        connections.push(Connection::open(server.address, user).await?);
    }
    let mut sent = Vec::new();
    for (user, message, status) in [
        (low, JOIN, 200),
        (high, JOIN, 200),
        (outsider, JOIN, 403),
        (outsider, ALL, 403),
        (publisher, SOME, 200),
        (publisher, ALL, 200),
    ] {
        let reply = connections[user].call(message).await?;
        if !reply.contains(&format!(r#""status":{status},"#)) {
            return Err(io::Error::other(format!("{message} should get status {status}, but got {reply}")));
        }
        sent.push(reply);
    }
    for (user, text) in [(high, "to some"), (high, r#"to \"all\""#), (low, r#"to \"all\""#)] {
        let event = connections[user].next_text().await?;
        if !event.ends_with(&format!(r#""text":"{text}"}}}}"#)) {
            return Err(io::Error::other(format!("{text} should arrive next, but {event} did")));
        }
        sent.push(event);
    }
    Ok(sent.join("\n"))
}
