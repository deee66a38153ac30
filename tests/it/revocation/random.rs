//! Random changes between random events: nothing is delivered on old grants.

use std::pin::Pin;
use std::sync::atomic::Ordering;

use futures_util::FutureExt;
use portcullis::Propagation;

use super::{Lobby, Room, Said, Uploaded, fixture};
use crate::common::rng::Rng;

/// After a change has completed, nothing arrives that it forbids.
#[tokio::test]
async fn random_changes_deliver_nothing_on_old_grants() {
    let fixture = fixture();
    fixture.state.readers.lock().unwrap().insert(1);
    fixture.state.members.lock().unwrap().insert(1);
    let mut client = fixture.open(1).await;
    let publisher = fixture.chat.publisher();
    let mut rng = Rng(0x2545_f491_4f6c_dd1d);
    let (mut sees, mut members) = (true, true);
    let mut changing: Option<Pin<Box<dyn Future<Output = Propagation>>>> = None;
    // What is forbidden for certain, and how often each kind arrived, was forbidden, and was changed.
    let (mut no_uploads, mut no_room, mut counts) = (false, false, [0_u32; 5]);
    for step in 0..100_000 {
        match rng.below(12) {
            0..=2 => publisher.publish(&Lobby, Uploaded(step)),
            3 | 4 => publisher.publish(&Room, Said(step)),
            5 => tokio::task::yield_now().await,
            6 if changing.is_none() => {
                let connections = fixture.connections.clone();
                (no_uploads, no_room) = (false, false);
                if rng.below(2) == 0 {
                    sees = !sees;
                    let mut all = fixture.state.readers.lock().unwrap();
                    let _ = if sees { all.insert(1) } else { all.remove(&1) };
                } else if members {
                    // It can join again only with a new connection, below.
                    members = false;
                    fixture.state.members.lock().unwrap().remove(&1);
                }
                fixture.state.yields_per_evaluation.store(usize::try_from(rng.below(4)).unwrap(), Ordering::SeqCst);
                counts[4] += 1;
                changing = Some(Box::pin(connections.refresh_user("1").revalidated()));
            }
            7..=9 => {
                if let Some(change) = &mut changing
                    && futures_util::poll!(change).is_ready()
                {
                    changing = None;
                    // Frames that have arrived by now were sent before the change completed.
                    while client.reply().now_or_never().is_some() {}
                    (no_uploads, no_room) = (!sees, !members);
                }
            }
            10 if !members && changing.is_none() && rng.below(20) == 0 => {
                members = true;
                fixture.state.members.lock().unwrap().insert(1);
                client = fixture.open(1).await;
                no_room = false;
            }
            _ => {
                if let Some(frame) = client.reply().now_or_never() {
                    let upload = frame.value()["event"] == "uploaded";
                    assert!(!(upload && no_uploads), "step {step}: {}", frame.text());
                    assert!(upload || !no_room, "step {step}: {}", frame.text());
                    counts[usize::from(upload)] += 1;
                }
            }
        }
        counts[2] += u32::from(no_uploads);
        counts[3] += u32::from(no_room);
    }
    assert!(counts.iter().all(|count| *count > 200), "each happened often enough: {counts:?}");
}
