//! Faults while a message is processed: its permissions, objects, parameters, body, joins and publications, and the
//! reauthorization after rights have changed while it ran.

use portcullis::GrantKey;
use portcullis::testing::{Client, ClientCall};

use super::depot::BoardId;
use super::{BYSTANDER, Fault, Fixture, Place, SUBJECT, assert_table, table};

/// The places that an action evaluates, with the action.
const PLACES: [(Place, &str); 9] = [
    ("Plain", "plain"),
    ("Ruled", "ruled"),
    ("uploads.read", "granted_action"),
    ("coalesce_key", "granted_action"),
    ("uploads.read(board)", "on_board"),
    ("load", "open_crate"),
    ("Sealed(item)", "open_crate"),
    ("extract", "on_shift"),
    ("Publish", "announce"),
];

/// The places that a join evaluates.
const GROUPS: [Place; 5] = ["Enter", "Ruled", "uploads.read", "coalesce_key", "uploads.read(board)"];

fn action_of(place: Place) -> &'static str {
    PLACES.iter().find(|(name, _)| *name == place).map_or(place, |(_, action)| action)
}

/// Calls an action as the subject, with all arguments that an action may need.
fn call<'c>(subject: &'c mut Client, action: &str, place: Place) -> ClientCall<'c> {
    subject.call(action).with("group", place).with("board", SUBJECT).with("item", 1).with("id", SUBJECT)
}

/// Returns what the log has about a fault at this place.
fn log_text(place: Place, action: &str) -> String {
    match place {
        // A key belongs to the leaf whose grants are loaded.
        "coalesce_key" => "leaf=\"uploads.read\"".to_owned(),
        // A callback that is not a permission is named by its action.
        "load" | "extract" | "act" | "act_detached" | "authenticate" => format!("action=\"{action}\""),
        leaf => format!("leaf=\"{leaf}\""),
    }
}

/// Calls an action twice, the second time without fault, and returns both statuses.
async fn call_twice(place: Place, fault: Fault, action: &str) -> String {
    let mut fixture = Fixture::new();
    let (mut subject, mut bystander) = (fixture.open(SUBJECT).await, fixture.open(BYSTANDER).await);
    fixture.state.may_end.add_permits(100);
    fixture.state.arm(place, fault);
    let calling = call(&mut subject, action, place).into_future();
    let (first, ()) = tokio::join!(calling, fixture.assert_undisturbed(&mut bystander));
    fixture.state.disarm();
    let is_logged = first.status() == 500;
    fixture.assert_logged_if(is_logged, &log_text(place, action), fault);
    let second = call(&mut subject, action, place).await;
    fixture.assert_undisturbed(&mut bystander).await;
    // The subject has missed no event either.
    fixture.assert_received(&mut subject).await;
    format!("{} {}", first.status(), second.status())
}

#[tokio::test(start_paused = true)]
async fn fault_during_an_action_is_the_reply_to_its_message() {
    let places = PLACES.map(|(place, _)| place);
    let run = async |place, fault| call_twice(place, fault, action_of(place)).await;
    assert_table(
        &table(&places, &Fault::ALL, run).await,
        "
                       Refuse         Fail           Panic          Hang           Slow           FailOnce
Plain                  409 200        500 200        500 200        500 200        200 200        500 200
Ruled                  409 200        500 200        500 200        500 200        200 200        500 200
uploads.read           409 200        500 200        500 200        500 200        200 200        500 200
coalesce_key           -              -              500 200        -              -              -
uploads.read(board)    409 200        500 200        500 200        500 200        200 200        500 200
load                   409 200        500 200        500 200        500 200        200 200        500 200
Sealed(item)           409 200        500 200        500 200        500 200        200 200        500 200
extract                409 200        500 200        500 200        408 200        200 200        500 200
Publish                409 200        500 200        500 200        500 200        200 200        500 200
",
    );
    let places = ["act", "act_detached", "authenticate"];
    let run = async |place, fault| call_twice(place, fault, place).await;
    assert_table(
        &table(&places, &Fault::ALL, run).await,
        "
                       Refuse         Fail           Panic          Hang           Slow           FailOnce
act                    409 200        500 200        500 200        408 200        200 200        500 200
act_detached           409 200        500 200        500 200        408 200        200 200        500 200
authenticate           409 204        500 204        500 204        408 204        204 204        500 204
",
    );
}

#[tokio::test(start_paused = true)]
async fn fault_during_a_join_is_the_reply_to_its_message() {
    for action in ["join", "subscribe"] {
        let run = async |place, fault| call_twice(place, fault, action).await;
        assert_table(
            &table(&GROUPS, &Fault::ALL, run).await,
            "
                       Refuse         Fail           Panic          Hang           Slow           FailOnce
Enter                  409 200        500 200        500 200        500 200        200 200        500 200
Ruled                  409 200        500 200        500 200        500 200        200 200        500 200
uploads.read           409 200        500 200        500 200        500 200        200 200        500 200
coalesce_key           -              -              500 200        -              -              -
uploads.read(board)    409 200        500 200        500 200        500 200        200 200        500 200
",
        );
    }
}

/// Changes rights while the body of an action runs, with a fault at a place that is evaluated again, and returns status and
/// code of the reply.
async fn reauthorize(place: Place, fault: Fault) -> String {
    let mut fixture = Fixture::new();
    let action = action_of(place);
    let (mut subject, mut bystander) = (fixture.open(SUBJECT).await, fixture.open(BYSTANDER).await);
    let calling = call(&mut subject, action, place).into_future();
    let changing = async {
        fixture.state.begun.acquire().await.unwrap().forget();
        fixture.state.arm(place, fault);
        let connections = fixture.depot.connections();
        assert!(connections.refresh_user("1").await.is_acknowledged());
        assert!(connections.refresh_object(&BoardId(SUBJECT).grant_key()).await.is_acknowledged());
        fixture.state.may_end.add_permits(1);
        fixture.assert_undisturbed(&mut bystander).await;
    };
    let (reply, ()) = tokio::join!(calling, changing);
    fixture.state.disarm();
    let is_logged = reply.status() != 200 && fault != Fault::Refuse;
    fixture.assert_logged_if(is_logged, &log_text(place, action), fault);
    fixture.state.may_end.add_permits(1);
    assert_eq!(call(&mut subject, action, place).await.status(), 200);
    fixture.assert_undisturbed(&mut bystander).await;
    fixture.assert_received(&mut subject).await;
    if reply.status() == 200 { "200".to_owned() } else { reply.code().to_owned() }
}

#[tokio::test(start_paused = true)]
async fn fault_during_a_reauthorization_is_answered_with_rights_changed() {
    let places = PLACES.map(|(place, _)| place);
    assert_table(
        &table(&places, &Fault::ALL, reauthorize).await,
        "
                       Refuse         Fail           Panic          Hang           Slow           FailOnce
Plain                  rights_changed rights_changed rights_changed rights_changed 200            rights_changed
Ruled                  rights_changed rights_changed rights_changed rights_changed 200            rights_changed
uploads.read           rights_changed rights_changed rights_changed rights_changed 200            rights_changed
coalesce_key           -              -              rights_changed -              -              -
uploads.read(board)    rights_changed rights_changed rights_changed rights_changed 200            rights_changed
load                   rights_changed rights_changed rights_changed rights_changed 200            rights_changed
Sealed(item)           rights_changed rights_changed rights_changed rights_changed 200            rights_changed
extract                200            200            200            200            200            200
Publish                200            200            200            200            200            200
",
    );
}
