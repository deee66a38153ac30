//! The `load` example, for a few seconds: its rules hold, and it prints its report.

use super::small::example;

#[test]
fn load_example_loses_no_reply_and_leaks_no_event() {
    let output = example("load").args(["--idle", "50", "--busy", "160", "--seconds", "4"]).output().unwrap();
    let (report, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{errors}\n{report}");
    let lines = [
        "| open before and after that, answered then | 50, 50, 50 |",
        "| busy clients, time | 160, 4 s |",
        "| replies: lost, wrong, duplicate, foreign | 0, 0, 0, 0 |",
        "| leaked, missed, out of order | 0, 0, 0 |",
    ];
    for line in lines {
        assert!(report.contains(line), "`{line}` is not printed:\n{report}");
    }
}
