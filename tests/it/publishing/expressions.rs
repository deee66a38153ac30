//! `publish = EXPRESSION`: evaluated per publication, and failing closed.

use super::{Failure, Step, act, assert_published, assert_refused, fixture, send};
use crate::common::log_capture::LogCapture;

#[tokio::test(start_paused = true)]
async fn allow_any_lets_outsiders_publish_and_deny_all_nobody() {
    let fixture = fixture();
    let mut listener = fixture.open_listener().await;
    let mut outsider = fixture.open(1).await;
    assert_published(&mut outsider, &mut listener, &[Step::SayOnWall]).await;
    assert_refused(&mut outsider, &mut listener, &[Step::SayInNews]).await;
    fixture.theatre.publisher().publish(&super::News, super::Said("from the server".to_owned()));
    assert_eq!(listener.event().await.data(), "from the server");
}

#[tokio::test(start_paused = true)]
async fn group_with_another_publish_expression_refuses_members() {
    let fixture = fixture();
    let mut listener = fixture.open_listener().await;
    let mut member = fixture.open(1).await;
    assert_eq!(member.call("listen").await.status(), 200);
    assert_refused(&mut member, &mut listener, &[Step::SayOnBoard]).await;
    let mut writer = portcullis::testing::connect(&fixture.theatre)
        .user(crate::common::member(2, &["writer"]))
        .open()
        .await
        .unwrap();
    assert_published(&mut writer, &mut listener, &[Step::SayOnBoard]).await;
    assert_eq!(member.event().await.data(), "SayOnBoard", "who may not publish still receives");
}

#[tokio::test(start_paused = true)]
async fn codename_is_evaluated_on_the_current_grants() {
    let fixture = fixture();
    let mut listener = fixture.open_listener().await;
    let mut client = fixture.open(1).await;
    assert_refused(&mut client, &mut listener, &[Step::SayOnBoard]).await;
    fixture.state.uploaders.lock().unwrap().insert(1);
    fixture.refresh(1).await;
    assert_published(&mut client, &mut listener, &[Step::SayOnBoard]).await;
    // Revoked while an action runs.
    send(&mut client, "act", &[Step::Wait, Step::SayOnBoard]);
    fixture.started().await;
    fixture.state.uploaders.lock().unwrap().clear();
    fixture.refresh(1).await;
    fixture.state.resume.notify_one();
    assert_eq!(client.reply().await.status(), 403);
    listener.expect_silence().await;
}

#[tokio::test(start_paused = true)]
async fn expression_that_fails_publishes_nothing() {
    let fixture = fixture();
    let mut listener = fixture.open_listener().await;
    let mut client = fixture.open(1).await;
    for (failure, status) in
        [(Failure::Error, 500), (Failure::NotFound, 404), (Failure::Panic, 500), (Failure::Timeout, 500)]
    {
        let reply = act(&mut client, &[Step::SayInTrap(failure)]).await;
        assert_eq!(reply.status(), status, "{failure:?}");
        assert!(!reply.text().contains("secret"), "{}", reply.text());
        listener.expect_silence().await;
    }
    for failure in [Failure::Error, Failure::NotFound] {
        assert_published(&mut client, &mut listener, &[Step::TryTrap(failure), Step::SayOnWall]).await;
        listener.expect_silence().await;
    }
}

#[tokio::test(start_paused = true)]
async fn refused_publication_is_logged_with_its_leaf() {
    let fixture = fixture();
    let mut client = fixture.open(1).await;
    for (step, leaf) in [
        (Step::Say(1), "members"),
        (Step::SayOnBoard, "uploads.write"),
        (Step::SayInNews, "portcullis::DenyAll"),
        (Step::SayInTrap(Failure::NotFound), "Fails"),
        (Step::SayInTrap(Failure::Error), "Fails"),
        (Step::SayInTrap(Failure::Panic), "Fails"),
        (Step::SayInTrap(Failure::Timeout), "Fails"),
    ] {
        let log = LogCapture::start();
        assert!(act(&mut client, std::slice::from_ref(&step)).await.status() >= 400);
        let lines = log.take();
        let is_named = |line: &String| line.contains(&format!("leaf=\"{leaf}\"")) && line.contains("user=\"1\"");
        assert_eq!(lines.iter().filter(|line| is_named(line)).count(), 1, "{step:?}: {lines:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn expression_is_evaluated_for_the_user_of_the_latest_authentication() {
    let fixture = fixture();
    let mut listener = fixture.open_listener().await;
    let mut client = fixture.open(1).await;
    for (token, status) in [("writer", 200), ("nobody", 403)] {
        send(&mut client, "act_detached", &[Step::Wait, Step::SayOnBoard]);
        fixture.started().await;
        assert_eq!(client.call("authenticate").with("token", token).await.status(), 204);
        fixture.state.resume.notify_one();
        assert_eq!(client.reply().await.status(), status, "{token}");
        match status {
            200 => assert_eq!(listener.event().await.data(), "SayOnBoard"),
            _ => listener.expect_silence().await,
        }
    }
}
