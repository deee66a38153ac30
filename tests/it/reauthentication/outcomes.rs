//! Outcomes of `authenticate`: the reply and its effect; refused credentials change nothing.

use std::time::{Duration, SystemTime};

use portcullis::testing::connect;
use portcullis::{AllowAny, Audit, Context, Result, User, consumer};
use serde_json::json;
use tokio::time::Instant;

use super::{Member, Portal, authenticate, fixture, personal};

#[tokio::test(start_paused = true)]
async fn authenticate_as_the_same_user_replaces_the_user() {
    let fixture = fixture();
    let mut client = fixture.open("1 call").await;
    client.send(r#"{"action":"authenticate","token":"1 hear","request_id":{"a":[1]}}"#);
    let wanted = r#"{"errors":[],"data":null,"action":"authenticate","route":"","status":204,"request_id":{"a":[1]}}"#;
    assert_eq!(client.reply().await.text(), wanted);
    assert_eq!(*client.call("whoami").await.data(), json!(["1", "hear"]));
    assert_eq!(personal(&fixture, &mut client).await, json!([0, "hear"]));
}

#[tokio::test(start_paused = true)]
async fn authenticate_that_is_refused_changes_nothing() {
    let fixture = fixture();
    for (token, status, code) in [
        ("2 call,hear", 403, "permission_denied"),
        ("nobody", 403, "permission_denied"),
        ("teapot", 418, "teapot"),
        ("fault", 500, "internal_error"),
        ("panic", 500, "internal_error"),
        ("hang", 408, "timeout"),
        ("1 call,hear 0", 403, "permission_denied"),
    ] {
        let mut client = fixture.open("1 call").await;
        let (start, reply) = (Instant::now(), authenticate(&mut client, token).await);
        assert_eq!((reply.status(), reply.code()), (status, code), "{token}");
        assert!(!reply.text().contains("secret"), "{}", reply.text());
        assert_eq!(
            reply.value()["errors"][0]["id"].is_string(),
            status == 500,
            "an internal error has an id: {}",
            reply.text()
        );
        let took = if token == "hang" { Duration::from_secs(5) } else { Duration::ZERO };
        assert_eq!(start.elapsed().as_secs(), took.as_secs());
        assert_eq!(*client.call("whoami").await.data(), json!(["1", "call"]), "{token}");
        assert_eq!(personal(&fixture, &mut client).await, json!([0, "call"]), "{token}");
        assert_eq!(client.call("call").await.status(), 200);
        // The connection is still registered under its user.
        assert!(fixture.chat.connections().disconnect_user("2").await.is_acknowledged());
        assert_eq!(authenticate(&mut client, "1 -").await.status(), 204);
        assert!(fixture.chat.connections().disconnect_user("1").await.is_acknowledged());
        assert_eq!(client.closed().await, 4403);
    }
}

#[tokio::test(start_paused = true)]
async fn authenticate_refusal_carries_the_applications_error() {
    let fixture = fixture();
    let mut client = fixture.open("1").await;
    let reply = authenticate(&mut client, "teapot").await;
    assert_eq!(reply.value()["errors"], json!([{"code": "teapot", "detail": "Short and stout."}]));
}

#[tokio::test(start_paused = true)]
async fn authenticate_with_bad_arguments_is_rejected_with_the_field() {
    let fixture = fixture();
    let mut client = fixture.open("1 call").await;
    for (message, code) in [
        (r#"{"action":"authenticate"}"#, "missing_argument"),
        (r#"{"action":"authenticate","token":7}"#, "invalid_argument"),
        (r#"{"action":"authenticate","token":null}"#, "invalid_argument"),
    ] {
        client.send(message);
        let reply = client.reply().await;
        assert_eq!((reply.status(), reply.code()), (400, code), "{}", reply.text());
        assert_eq!(reply.value()["errors"][0]["field"], "token");
    }
    client.send(r#"{"action":"authenticate","token":"1","token":"1"}"#);
    assert_eq!(client.reply().await.code(), "repeated_key");
    assert_eq!(*client.call("whoami").await.data(), json!(["1", "call"]));
}

#[tokio::test(start_paused = true)]
async fn authenticate_is_available_at_the_empty_route_only() {
    let fixture = fixture();
    let mut client = fixture.open("1 call").await;
    for route in ["rooms/", "authenticate", "/", "rooms/5/"] {
        let reply = authenticate(&mut client, "1").route(route).await;
        assert_eq!(reply.status(), 404, "{route}");
    }
    // The name of the method is no action.
    assert_eq!(client.call("renew").with("token", "1").await.status(), 405);
    assert_eq!(client.call("Authenticate").with("token", "1").await.status(), 405);
    assert_eq!(*client.call("whoami").await.data(), json!(["1", "call"]));
    // JSON escapes in the action name are decoded.
    client.send(r#"{"action":"\u0061uthenticate","token":"1"}"#);
    assert_eq!(client.reply().await.status(), 204);
    assert_eq!(authenticate(&mut client, "1 x").route("").await.status(), 204);
    assert_eq!(*client.call("whoami").await.data(), json!(["1", "x"]));
}

#[tokio::test(start_paused = true)]
async fn authenticate_without_the_hook_is_unknown_or_an_action() {
    struct Plain;

    #[consumer(user = Member)]
    impl Plain {
        #[action(permission = AllowAny)]
        async fn ping(&self) {}
    }

    struct Own;

    #[consumer(user = Member)]
    impl Own {
        #[action(permission = AllowAny)]
        async fn authenticate(&self, cx: &Context<'_, Member>, token: u32) -> (u32, bool) {
            (token, cx.user().is_some())
        }
    }

    let mut client = connect(&portcullis::websocket(Plain)).open().await.unwrap();
    assert_eq!(client.call("authenticate").with("token", "1").await.code(), "unknown_action");
    let mut client = connect(&portcullis::websocket(Own)).open().await.unwrap();
    for _ in 0..100 {
        assert_eq!(*client.call("authenticate").with("token", 7).await.data(), json!([7, false]));
    }
    let lists = |audit: &Audit| audit.entries().iter().any(|entry| entry.permission.starts_with("built-in"));
    assert!(!lists(&Audit::of::<Plain>()) && !lists(&Audit::of::<Own>()));
}

#[test]
fn authenticate_is_listed_in_the_audit() {
    let audit = Audit::of::<Portal>();
    let own: Vec<_> = audit.entries().iter().filter(|entry| entry.action == "authenticate").collect();
    assert_eq!(own.len(), 1, "{audit}");
    assert_eq!((own[0].route.as_str(), own[0].permission.as_str()), ("", "built-in, for every connection"));
    assert!(!audit.entries().iter().any(|entry| entry.action == "renew"), "{audit}");
}

/// The `User` implementation may panic, like the hook.
#[tokio::test(start_paused = true)]
async fn authenticate_with_a_user_value_that_panics_is_refused() {
    struct Odd(u8);

    impl User for Odd {
        fn id(&self) -> std::borrow::Cow<'_, str> {
            assert_ne!(self.0, 1, "a secret");
            "odd".into()
        }

        fn expires_at(&self) -> Option<SystemTime> {
            assert_ne!(self.0, 2, "a secret");
            None
        }
    }

    struct Zoo;

    #[consumer(user = Odd)]
    impl Zoo {
        #[authenticate]
        async fn renew(&self, odd: u8) -> Result<Option<Odd>> {
            Ok(Some(Odd(odd)))
        }

        #[action(permission = AllowAny)]
        async fn whoami(&self, cx: &Context<'_, Odd>) -> Option<u8> {
            cx.user().map(|odd| odd.0)
        }
    }

    for user in [None, Some(0)] {
        let chat = portcullis::websocket(Zoo);
        let connecting = connect(&chat);
        let connecting = if let Some(user) = user { connecting.user(Odd(user)) } else { connecting };
        let mut client = connecting.open().await.unwrap();
        for odd in [1, 2] {
            let status = client.call("authenticate").with("odd", odd).await.status();
            assert!([403, 500].contains(&status), "{status}");
            assert_eq!(*client.call("whoami").await.data(), json!(user));
        }
        assert_eq!(client.call("authenticate").with("odd", 3).await.status(), 204);
        assert_eq!(*client.call("whoami").await.data(), 3);
    }
}
