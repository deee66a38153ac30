//! The server with Portcullis that records metrics, alone and with an observer.

use std::sync::Once;
use std::thread;
use std::time::Duration;

use axum::Router;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
use portcullis::{ACTION_DURATION_BUCKETS, ActionFinished, ActionStarted, Endpoint, Observer};

use super::ours::{Chat, endpoint, serve};

/// How often the recorder merges what was recorded. As often as the exporter's own server does by default.
const UPKEEP: Duration = Duration::from_secs(5);

/// Counts actions.
struct Counting {
    started: u64,
    finished: u64,
}

impl Observer for Counting {
    fn action_started(&mut self, _: &ActionStarted) {
        self.started += 1;
    }

    fn action_finished(&mut self, _: &ActionFinished) {
        self.finished += 1;
    }
}

impl Drop for Counting {
    fn drop(&mut self) {
        println!("{} actions started, {} finished", self.started, self.finished);
    }
}

/// The server that records metrics.
pub(crate) fn metrics_app() -> Router {
    serve(with_metrics())
}

/// The server that records metrics and has an observer.
pub(crate) fn observer_app() -> Router {
    serve(with_metrics().observe(Counting { started: 0, finished: 0 }))
}

fn with_metrics() -> Endpoint<Chat> {
    static RECORDER: Once = Once::new();
    RECORDER.call_once(install_recorder);
    endpoint().record_metrics()
}

/// Installs the recorder of the process.
fn install_recorder() {
    let durations = Matcher::Full("portcullis.action.duration".to_owned());
    let builder = PrometheusBuilder::new().set_buckets_for_metric(durations, &ACTION_DURATION_BUCKETS);
    let recorder = builder.and_then(PrometheusBuilder::install_recorder).expect("the only recorder of the process");
    thread::spawn(move || {
        loop {
            thread::sleep(UPKEEP);
            recorder.run_upkeep();
        }
    });
}
