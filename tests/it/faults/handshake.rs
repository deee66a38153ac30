//! Faults during the handshake, `#[connect]` and `#[disconnect]`.

use std::sync::Arc;

use http::request::Parts;
use portcullis::testing::connect;
use portcullis::{Authenticate, Result};
use tokio::time::sleep;

use super::{ACTION_TIMEOUT, BYSTANDER, Fault, Fixture, Place, SUBJECT, State, assert_table, end_of, table};
use crate::common::{Member, member};

struct Authentication(Arc<State>);

impl Authenticate<Member> for Authentication {
    async fn authenticate(&self, _: &Parts) -> Result<Option<Member>> {
        self.0.run("authentication", SUBJECT).await?;
        Ok(Some(member(SUBJECT, &[])))
    }
}

/// Returns what the log has about a fault at this place.
fn log_text(place: Place) -> &'static str {
    match place {
        "authentication" => "authentication failed",
        "#[connect]" => "action=\"connect\"",
        leaf => leaf,
    }
}

/// Opens a connection with a fault, and then one without. Returns the status or the close code of both.
async fn open_twice(place: Place, fault: Fault) -> String {
    let mut fixture = Fixture::new();
    fixture.depot = fixture.depot.authenticate(Authentication(fixture.state.clone()));
    let mut bystander = fixture.open(BYSTANDER).await;
    fixture.state.arm(place, fault);
    let mut ends = Vec::new();
    for _ in 0..2 {
        let opening = connect(&fixture.depot).open();
        let (opened, ()) = tokio::join!(opening, fixture.assert_undisturbed(&mut bystander));
        ends.push(match opened {
            Err(rejected) => rejected.status().to_string(),
            Ok(mut client) => end_of(&mut client, 2 * ACTION_TIMEOUT).await,
        });
        if ends.len() == 1 {
            fixture.state.disarm();
            fixture.assert_logged(log_text(place), fault);
        }
        fixture.assert_undisturbed(&mut bystander).await;
    }
    ends.join(" ")
}

#[tokio::test(start_paused = true)]
async fn fault_during_the_handshake_rejects_or_closes_one_connection() {
    let places = ["authentication", "Opinion", "Strict", "#[connect]"];
    assert_table(
        &table(&places, &Fault::ALL, open_twice).await,
        "
                       Refuse         Fail           Panic          Hang           Slow           FailOnce
authentication         409 open       500 open       500 open       500 open       open open      500 open
Opinion                409 open       500 open       500 open       500 open       open open      500 open
Strict                 409 open       500 open       500 open       500 open       open open      500 open
#[connect]             4403 open      4500 open      4500 open      4500 open      open open      4500 open
",
    );
}

#[tokio::test(start_paused = true)]
async fn fault_of_the_disconnect_hook_ends_one_connection() {
    for fault in [Fault::Panic, Fault::Hang, Fault::Slow] {
        let mut fixture = Fixture::new();
        let (subject, mut bystander) = (fixture.open(SUBJECT).await, fixture.open(BYSTANDER).await);
        fixture.state.arm("#[disconnect]", fault);
        drop(subject);
        fixture.assert_undisturbed(&mut bystander).await;
        sleep(2 * ACTION_TIMEOUT).await;
        fixture.assert_logged("#[disconnect]", fault);
        fixture.state.disarm();
        let mut subject = fixture.open(SUBJECT).await;
        assert_eq!(subject.call("ping").await.status(), 200);
        fixture.assert_undisturbed(&mut bystander).await;
    }
}
