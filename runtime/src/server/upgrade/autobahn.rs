//! The Autobahn test suite against an echo over the real upgrade and transport. It needs Python 2.7 and
//! `pip install --target DIR autobahntestsuite`; `AUTOBAHN` names the folder. `codec/tests.rs` has its cases for frames.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use axum::Router;
use axum::extract::Request;
use axum::response::IntoResponse;
use axum::routing::any;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::process::Command;

use super::Upgrade;
use crate::transport::websocket::echo::echo;

/// Cases that the suite does not judge, or judges less strictly, with the result.
const EXPECTED: [(&str, &str); 5] = [
    // Invalid UTF-8 within a frame is refused once the frame is complete, not at its first wrong byte.
    ("6.4.3", "NON-STRICT"),
    ("6.4.4", "NON-STRICT"),
    // What a server answers to a close frame with an unassigned code is left to it.
    ("7.1.6", "INFORMATIONAL"),
    ("7.13.1", "INFORMATIONAL"),
    ("7.13.2", "INFORMATIONAL"),
];

#[tokio::test]
async fn upgraded_connection_conforms_to_the_autobahn_suite() {
    let Some(suite) = std::env::var_os("AUTOBAHN") else {
        eprintln!("\n*** SKIPPED: `AUTOBAHN` does not name the Autobahn test suite, which was NOT run ***");
        return;
    };
    let upgrade = |request: Request| async {
        match Upgrade::from_parts(&mut request.into_parts().0) {
            Ok(upgrade) => upgrade.accept(64 << 20, None, echo),
            Err(error) => error.into_response(),
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/", any(upgrade))).await });

    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/autobahn");
    fs::create_dir_all(&folder).unwrap();
    let specification = json!({
        "outdir": folder.join("report"),
        "servers": [{"agent": "portcullis", "url": format!("ws://{address}")}],
        // Compression and the limits of payload sizes (9, 12, 13) are not what the server negotiates.
        "cases": ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "10.*"],
        "exclude-cases": [],
    });
    fs::write(folder.join("specification.json"), specification.to_string()).unwrap();
    let status = Command::new("python2.7")
        .args([
            "-c",
            "from autobahntestsuite.wstest import run; run()",
            "-m",
            "fuzzingclient",
            "-s",
            "specification.json",
        ])
        .env("PYTHONPATH", suite)
        .current_dir(&folder)
        .status()
        .await
        .unwrap();
    assert!(status.success(), "{status}");

    let report: Value = serde_json::from_slice(&fs::read(folder.join("report/index.json")).unwrap()).unwrap();
    let cases = report["portcullis"].as_object().unwrap();
    assert!(cases.len() > 240, "only {} cases ran", cases.len());
    let results = cases.iter().flat_map(|(case, result)| {
        [(case.as_str(), result["behavior"].as_str().unwrap()), (case, result["behaviorClose"].as_str().unwrap())]
    });
    let unusual: BTreeMap<&str, &str> = results.filter(|(_, result)| *result != "OK").collect();
    assert_eq!(unusual, EXPECTED.into_iter().collect());
}
