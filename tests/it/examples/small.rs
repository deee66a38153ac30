//! The small examples: what they print, and what their servers reply on a real socket.

use std::env::consts::EXE_EXTENSION;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use tokio::time::timeout;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

use crate::common::clients::Socket;

/// The longest wait before a test fails.
pub(super) const PATIENCE: Duration = Duration::from_mins(1);

/// Returns a command that runs the built example.
pub(super) fn example(name: &str) -> Command {
    let tests = std::env::current_exe().unwrap();
    let built = tests.parent().unwrap().parent().unwrap().join("examples").join(name).with_extension(EXE_EXTENSION);
    assert!(built.is_file(), "{} is not there; build the examples first", built.display());
    Command::new(built)
}

/// Runs an example twice and returns its output, with every run of spaces as one: column widths are not tested.
/// Panics if it fails or prints something else the second time.
fn output_of(name: &str) -> String {
    let run = || {
        let output = example(name).output().unwrap();
        assert!(output.status.success(), "{name}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let text = run();
    assert_eq!(text, run(), "{name} prints something else each time");
    text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ") + "\n").collect()
}

/// Asserts that the text has these lines, in this order.
fn expect(text: &str, wanted: &[&str]) {
    let mut lines = text.lines();
    for line in wanted {
        assert!(lines.any(|printed| printed == *line), "`{line}` is not printed, or too early:\n{text}");
    }
}

#[test]
fn server_example_names_a_taken_port_and_the_option_for_another() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let port = address.port().to_string();
    for (name, arguments, option) in [
        ("echo", vec![address.to_string()], "-- HOST:PORT"),
        ("identity", vec![address.to_string()], "-- HOST:PORT"),
        ("login_cookie", vec![address.to_string()], "-- HOST:PORT"),
        ("login_jwt", vec![address.to_string()], "-- HOST:PORT"),
        ("login_ticket", vec![address.to_string()], "-- HOST:PORT"),
        ("rooms", vec!["--port".to_owned(), port.clone()], "-- --port N"),
        ("chat", vec!["--port".to_owned(), port], "-- --port N"),
    ] {
        let output = example(name).args(arguments).output().unwrap();
        assert!(!output.status.success(), "{name}: {output:?}");
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains(&format!("{address}; use `{option}`")), "{name}: {error}");
    }
}

#[test]
fn permissions_example_prints_the_status_per_user_and_action() {
    let wanted = [
        "Club connect hours vote enter rooms/1/ redecorate rooms/1/ enter rooms/2/",
        "Ada, staff in 200 200 200 403 200",
        "Ben, member in 200 200 200 200 403",
        "Cy, new in 200 403 403 403 403",
        "Dan, banned 403",
        "anonymous in 200 403 401 401 401",
        "Office connect accounts",
        "Ada, staff in 200",
        "Ben, member 403",
        "anonymous 401",
        "Club - (connect) connect phase of !Banned",
        "Club rooms/{room_id}/ enter !Banned & !Is(\"new\") & (Is(\"staff\") | InRoom({room_id}))",
        "Office - (connect) Is(\"staff\")",
        "Office - accounts AllowAny",
    ];
    expect(&output_of("permissions"), &wanted);
}

#[test]
fn routes_example_prints_the_handler_per_route() {
    let text = output_of("routes");
    let answers: Vec<_> = text.lines().map(|line| line.split(' ').take(3).collect::<Vec<_>>().join(" ")).collect();
    let wanted = [
        "rooms/7/ write 200",
        "rooms/700/ write 403",
        "archive/7/ write 403",
        "rooms/7/?page=2 list 200",
        "rooms/7/?page=two list 400",
        "archive/7/files/a/b.txt open 200",
        "rooms/seven/files/a open 404",
        "archive/seven/files/a open 404",
        "rooms/7 list 404",
        "rooms/7/ open 405",
    ];
    expect(&answers.join("\n"), &wanted);
    assert!(text.contains("page 2 of room 7"), "{text}");
    assert!(text.contains("file `a/b.txt` of room 7"), "{text}");
    expect(&text, &["Site archive/{room}/files/{*path} open AllowAny"]);
}

#[test]
fn policies_example_prints_the_decision_per_policy() {
    let wanted = [
        "unchanged/ staff-posts/ quota/",
        "post remove clear post remove clear post post post",
        "Cora, creator 200 200 200 200 200 200 200 200 429",
        "Mo, moderator 200 200 403 200 200 403 200 200 429",
        "Mia, member 200 403 403 200 403 403 200 200 429",
        "Otto, outsider 403 403 403 403 403 403 403 403 403",
        "Sam, staff 403 403 403 200 403 403 403 403 403",
        "App unchanged/ post IsAuthenticated & May(Act::Post)",
        "App staff-posts/ post IsAuthenticated & May(Act::Post)",
        "App quota/ clear IsAuthenticated & May(Act::Clear)",
    ];
    let text = output_of("policies");
    expect(&text, &wanted);
    assert!(text.contains(r#""code":"too_many_requests","detail":"Too many requests.","retry_after":60"#), "{text}");
}

#[test]
fn resume_example_receives_what_it_has_missed_and_may_see() {
    let wanted = [
        r#"<- {"action":"enter","data":{"position":"…","recovered":false},"errors":[],"route":"","status":200}"#,
        r#"<- {"data":"hello","event":"said","position":"…"}"#,
        "the connection is lost",
        r#"-> {"action":"enter","position":"…","room":5}"#,
        r#"<- {"action":"enter","data":{"position":"…","recovered":true},"errors":[],"route":"","status":200}"#,
        r#"<- {"data":"are you there?","event":"said","position":"…"}"#,
        r#"<- {"data":"only for you","event":"said","position":"…"}"#,
        r#"<- {"data":"welcome back","event":"said","position":"…"}"#,
    ];
    let text = output_of("resume");
    expect(&text, &wanted);
    assert!(!text.contains(r#"<- {"data":"ada does not read this""#), "{text}");
}

#[test]
fn grants_example_prints_the_status_per_role_channel_and_object() {
    let wanted = [
        "Ada, admin Mo, moderator Ben, member Eve, member Una, muted",
        "hide post: 1 200 200 200 403 403",
        "hide post: 9 404 404 403 403 403",
        "hide_all posts: [1,2] 200 200 200 403 403",
        "hide_all posts: [1,3] 200 200 403 403 403",
        "write corrects: null 200 200 200 200 403",
        "write corrects: 1 403 403 200 403 403",
        "uploads channel: 5 200 200 200 200 403",
        "uploads channel: 6 200 200 403 403 403",
        "Mo resigns: 200",
        "Mo hides post 1: 403",
        "Ben hides post 3: 403",
        "The same, once members may: 403",
        "The same, after `forget_all`: 200",
        "chat.can_moderate_chat Hides messages of others",
        "chat.can_use_chat Takes part",
        "uploads.read Sees the uploads of a channel",
        "Chat - (connect) connect phase of chat.can_use_chat",
        "Chat - hide chat.can_use_chat & (Author(post) | chat.can_moderate_chat)",
        "Chat - uploads chat.can_use_chat & uploads.read(channel)",
        "Chat - resign chat.can_use_chat",
    ];
    expect(&output_of("grants"), &wanted);
}

/// A server process that is killed on drop.
pub(super) struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a server on a free port and returns its address.
pub(super) async fn serve(name: &str, arguments: &[&str]) -> (Server, String) {
    let mut command = example(name);
    command.arg("127.0.0.1:0").args(arguments).stdout(Stdio::piped());
    let mut server = Server(command.spawn().unwrap());
    let output = server.0.stdout.take().unwrap();
    let (lines, listening) = tokio::sync::oneshot::channel();
    // On its own thread, so that a server that prints nothing fails the test instead of blocking it.
    std::thread::spawn(move || {
        let mut output_of = BufReader::new(output).lines().map_while(Result::ok);
        let _ = lines.send(output_of.find_map(|line| Some(line.strip_prefix("listening on ")?.to_owned())));
        // Later output is read too, so that the pipe does not break.
        output_of.for_each(drop);
    });
    let address = timeout(PATIENCE, listening).await.unwrap_or_else(|_| panic!("`{name}` does not start")).unwrap();
    (server, address.unwrap_or_else(|| panic!("`{name}` ended without saying where it listens")))
}

/// Sends the messages over a WebSocket in order and returns the replies.
async fn replies(address: &str, messages: [&str; 2]) -> [Value; 2] {
    let talk = async {
        let (mut socket, _) = connect_async(address).await.unwrap();
        let mut replies = [Value::Null, Value::Null];
        for (message, reply) in messages.into_iter().zip(&mut replies) {
            socket.send(Message::text(message)).await.unwrap();
            let frame = socket.next().await.expect("the socket is gone").unwrap();
            *reply = serde_json::from_str(frame.to_text().unwrap()).unwrap();
        }
        replies
    };
    timeout(PATIENCE, talk).await.expect("`echo` does not answer")
}

#[tokio::test]
async fn echo_example_replies_to_anonymous_and_shouts_for_named_users() {
    let (_server, address) = serve("echo", &[]).await;
    let messages = [r#"{"action":"ping"}"#, r#"{"action":"shout","text":"hi"}"#];

    let [pong, shouted] = replies(&format!("{address}?name=ada"), messages).await;
    assert_eq!((&pong["status"], &pong["data"]), (&200.into(), &"pong".into()), "{pong}");
    assert_eq!((&shouted["status"], &shouted["data"]), (&200.into(), &"ada says HI".into()), "{shouted}");

    let [pong, refused] = replies(&address, messages).await;
    assert_eq!((&pong["status"], &pong["data"]), (&200.into(), &"pong".into()), "{pong}");
    assert_eq!((&refused["status"], &refused["data"]), (&403.into(), &Value::Null), "{refused}");
    assert_eq!(refused["errors"][0]["code"], "permission_denied", "{refused}");
}

/// Returns the next event of this name or reply to this action, and drops other frames.
async fn frame(socket: &mut Socket, kind: &str) -> Value {
    loop {
        let message =
            timeout(PATIENCE, socket.next()).await.expect("nothing comes").expect("the socket is gone").unwrap();
        let frame: Value = serde_json::from_str(message.to_text().unwrap()).unwrap();
        if frame["event"] == kind || frame["action"] == kind {
            return frame;
        }
    }
}

/// Logs in with a role and authenticates with the token; drops other frames.
async fn authenticate_as(role: &str, socket: &mut Socket) {
    socket.send(Message::text(format!(r#"{{"action":"login","name":"ada","role":"{role}"}}"#))).await.unwrap();
    let token = frame(socket, "login").await["data"].clone();
    socket.send(Message::text(format!(r#"{{"action":"authenticate","token":{token}}}"#))).await.unwrap();
    assert_eq!(frame(socket, "authenticate").await["status"], 204);
}

#[tokio::test]
async fn identity_example_follows_the_newest_token_until_it_expires() {
    let (_server, address) = serve("identity", &["4"]).await;
    let (mut socket, _) = connect_async(address).await.unwrap();
    authenticate_as("editor", &mut socket).await;
    frame(&mut socket, "draft").await;
    authenticate_as("reader", &mut socket).await;
    let mut headlines = 0;
    let close = loop {
        match timeout(PATIENCE, socket.next()).await.expect("it is not closed").unwrap().unwrap() {
            Message::Close(close) => break close.unwrap(),
            event => {
                assert!(event.to_text().unwrap().contains(r#""event":"headline""#), "{event}");
                headlines += 1;
            }
        }
    };
    assert!(headlines > 1, "{headlines}");
    assert_eq!((u16::from(close.code), close.reason.as_str()), (4401, "credentials expired"));
}
