//! Private messages stay private: no reply, forward, event or error reveals them.

use super::{ADA, CORA, Demo, GARDEN, MIA, OTTO, PIA, PRIVATE, event, reply, status, status_of};

const SECRET: &str = "Between us";

#[tokio::test(start_paused = true)]
async fn private_message_never_reaches_an_outsider() {
    let demo = Demo::new();
    let (mut cora, mut mia) = (demo.client_in_room(CORA, PRIVATE).await, demo.client_in_room(MIA, PRIVATE).await);
    let mut otto = demo.client(OTTO).await;
    let shed = reply(&mut otto, "create_room", "", r#""kind":"group","name":"Shed""#).await["data"]["id"].clone();
    let shed = shed.as_i64().unwrap();
    // Otto has an event subscription, but only to his own room.
    assert_eq!(status(&mut otto, "enter", shed, "").await, 200);
    let said = reply(&mut cora, "send", "rooms/3/", r#""text":"Between us: Sunday.""#).await;
    let id = &said["data"]["id"];
    let tries = [
        ("read_messages", "rooms/3/".to_owned(), String::new()),
        ("enter", "rooms/3/".to_owned(), String::new()),
        ("join", "channels/3/".to_owned(), String::new()),
        ("forward", format!("rooms/{shed}/"), format!(r#""message":{id}"#)),
        ("forward", "rooms/3/".to_owned(), format!(r#""message":{id}"#)),
        ("send", format!("rooms/{shed}/"), format!(r#""text":"what?","reply_to":{id}"#)),
        ("react", format!("rooms/{shed}/messages/{id}/"), r#""emoji":"?""#.to_owned()),
        ("edit", format!("rooms/{shed}/messages/{id}/"), r#""text":"?""#.to_owned()),
        // The reply for a missing message is the same.
        ("forward", format!("rooms/{shed}/"), r#""message":999"#.to_owned()),
        ("send", format!("rooms/{shed}/"), r#""text":"what?","reply_to":999"#.to_owned()),
    ];
    for (action, route, rest) in tries {
        let reply = reply(&mut otto, action, &route, &rest).await;
        let status = reply["status"].as_u64().unwrap();
        // A message of another room is missing in this one, which a member who may act on every message learns.
        assert!(status == 403 || status == 404 && action == "react", "{action} {route}: {reply}");
        assert!(!reply.to_string().contains(SECRET), "{reply}");
    }
    assert_eq!(status(&mut mia, "send", PRIVATE, &format!(r#""text":"yes","reply_to":{id}"#)).await, 201);
    status_of(&mut cora, "edit", &format!("rooms/3/messages/{id}/"), r#""text":"Between us: Monday.""#).await;
    status_of(&mut cora, "delete", &format!("rooms/3/messages/{id}/"), "").await;
    assert_eq!(event(&mut mia).await.0, "message_created");
    otto.expect_silence().await;
    let messages = reply(&mut otto, "read_messages", &format!("rooms/{shed}/"), "").await;
    assert_eq!(messages["data"]["messages"].as_array().unwrap().len(), 0, "{messages}");
}

#[tokio::test(start_paused = true)]
async fn member_cannot_quote_a_private_message_in_another_room() {
    let demo = Demo::new();
    let (mut ada, mut mia) = (demo.client_in_room(ADA, GARDEN).await, demo.client_in_room(MIA, GARDEN).await);
    assert_eq!(status(&mut mia, "send", GARDEN, r#""text":"psst","reply_to":4"#).await, 403);
    // Forwarding it is Mia's own choice, and is marked as such. It is the first event that Ada receives.
    assert_eq!(status(&mut mia, "forward", GARDEN, r#""message":4"#).await, 201);
    let (name, data) = event(&mut ada).await;
    assert_eq!(
        (&*name, data["forwarded"].as_bool(), data["reply_to"].is_null()),
        ("message_created", Some(true), true)
    );
}

#[tokio::test(start_paused = true)]
async fn deleted_message_is_gone_for_everyone() {
    let demo = Demo::new();
    let mut mia = demo.client_in_room(MIA, GARDEN).await;
    let mut pia = demo.client_in_room(PIA, GARDEN).await;
    assert_eq!(status_of(&mut mia, "delete", "rooms/1/messages/2/", "").await, 204);
    assert_eq!(event(&mut pia).await.0, "message_deleted");
    let messages = reply(&mut pia, "read_messages", "rooms/1/", "").await;
    assert!(!messages.to_string().contains("beans"), "{messages}");
    assert_eq!(demo.text(2), "");
    for (action, route, rest) in [
        ("edit", "rooms/1/messages/2/", r#""text":"back""#),
        ("forward", "rooms/1/", r#""message":2"#),
        ("send", "rooms/1/", r#""text":"what?","reply_to":2"#),
    ] {
        assert_eq!(status_of(&mut mia, action, route, rest).await, 403, "{action}");
    }
}
