//! The audit snapshot: a change of permissions fails the test and shows its lines.

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use portcullis::testing::compare_audit;
use portcullis::{AllowAny, IsAuthenticated, assert_audit, consumer};

struct Chat;

#[consumer(user = (), permission = "IsAuthenticated")]
impl Chat {
    #[action]
    async fn send(&self) {}
}

struct Health;

#[consumer]
impl Health {
    #[action(permission = AllowAny)]
    async fn ping(&self) {}
}

const SNAPSHOT: &str = "\
Chat - (connect): connect phase of IsAuthenticated
Chat - send: IsAuthenticated
Health - (connect): no opinion
Health - ping: AllowAny
";

/// Returns a file path per test.
fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn failure_of(file: &Path) -> String {
    let panic = catch_unwind(|| compare_audit(file, false)).unwrap_err();
    panic.downcast_ref::<String>().cloned().unwrap()
}

#[test]
fn written_snapshot_compares_equal() {
    let file = file("blessed.snap");
    compare_audit(&file, true);
    assert_eq!(fs::read_to_string(&file).unwrap(), SNAPSHOT);
    assert_audit!(&file);
    fs::write(&file, SNAPSHOT.replace('\n', "\r\n")).unwrap();
    assert_audit!(&file);
}

#[test]
fn changed_snapshot_fails_line_by_line() {
    let file = file("changed.snap");
    fs::write(&file, SNAPSHOT.replace("send: IsAuthenticated", "send: IsStaff")).unwrap();
    let failure_of = failure_of(&file);
    assert!(failure_of.contains("\n\n- Chat - send: IsStaff\n+ Chat - send: IsAuthenticated\n\n"), "{failure_of}");
    assert!(failure_of.contains("UPDATE_AUDIT=1") && failure_of.contains("changed.snap"), "{failure_of}");
}

#[test]
fn snapshot_in_another_order_fails() {
    let file = file("order.snap");
    let (chat, health) = SNAPSHOT.split_at(SNAPSHOT.find("Health").unwrap());
    fs::write(&file, format!("{health}{chat}")).unwrap();
    assert!(failure_of(&file).contains("their order or number differs"));
}

#[test]
fn missing_snapshot_fails_with_every_line() {
    let failure_of = failure_of(&file("missing.snap"));
    assert_eq!(failure_of.matches("\n+ ").count(), 4, "{failure_of}");
}
