//! The audit snapshot: a change of permissions fails the test and shows its lines.

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use portcullis::testing::compare_audit;
use portcullis::{AllowAny, IsAuthenticated, assert_audit, consumer};

struct Chat;

#[consumer(permission = "IsAuthenticated")]
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

fn told(file: &Path) -> String {
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
    let told = told(&file);
    assert!(told.contains("\n\n- Chat - send: IsStaff\n+ Chat - send: IsAuthenticated\n\n"), "{told}");
    assert!(told.contains("UPDATE_AUDIT=1") && told.contains("changed.snap"), "{told}");
}

#[test]
fn snapshot_in_another_order_fails() {
    let file = file("order.snap");
    let (chat, health) = SNAPSHOT.split_at(SNAPSHOT.find("Health").unwrap());
    fs::write(&file, format!("{health}{chat}")).unwrap();
    assert!(told(&file).contains("another order"));
}

#[test]
fn missing_snapshot_fails_with_every_line() {
    let told = told(&file("missing.snap"));
    assert_eq!(told.matches("\n+ ").count(), 4, "{told}");
}
